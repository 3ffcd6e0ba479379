"""The `smtp` action: hand a message to a mail server (fdm.conf(5), RFC 5321), without TLS and without login, as fdm.

A small dialogue of our own: the standard library's client takes longer to load than all the rest of a delivery.
"""

from __future__ import annotations

from rulesmith.delivery.connection import Connection, connect
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

    Args = tuple[bytes, bytes, bytes | None, bytes | None]
    User = tuple[bytes, int, int, bytes]

# A server that goes on with one reply for longer than this is not going to end it.
_REPLY_LINES = 128
# An address is one word of a command line; a value of the mail must not start a command of its own.
_LINE_ENDS = b"\r\n\0"


def deliver(args: Args, raw: bytes, user: User, world: World) -> dict[bytes, bytes]:
    """Send `raw` to `args`: host, port, sender and recipient, each None for user@host. Raises Failure."""
    host, port, sender, recipient = args
    envelope = addresses(sender, recipient, user, world)
    hand_over(connect(host, port, world), b"HELO", envelope, raw, world)
    return {}


def addresses(sender: bytes | None, recipient: bytes | None, user: User, world: World) -> tuple[bytes, bytes]:
    """Sender and recipient with their defaults; no recipient at all is a Failure, no sender is `<>`."""
    if recipient is not None and not (recipient := recipient.translate(None, _LINE_ENDS)):
        # The account stands twice in fdm's line.
        raise Failure(world.account.decode("utf-8", "surrogateescape") + ": empty to")
    if sender is None or recipient is None:
        default = user[0] + b"@" + world.fqdn()
        sender = default if sender is None else sender
        recipient = default if recipient is None else recipient
    return sender.translate(None, _LINE_ENDS), recipient


def hand_over(connection: Connection, hello: bytes, envelope: tuple[bytes, bytes], raw: bytes, world: World) -> None:
    """The whole dialogue. Once the server has taken the message, nothing that follows is a failure.

    One recipient means one reply after the data, for SMTP and for LMTP (RFC 2033, 4.2) alike.
    """
    try:
        expect(connection, b"220")
        for command, code in (
            (hello + b" " + world.fqdn(), b"250"),
            (b"MAIL FROM:<" + envelope[0] + b">", b"250"),
            (b"RCPT TO:<" + envelope[1] + b">", b"250"),
            (b"DATA", b"354"),
        ):
            connection.send(command + b"\r\n")
            expect(connection, code)
        connection.send(stuffed(raw) + b".\r\n")
        expect(connection, b"250")
    except BaseException:
        connection.close()
        raise
    connection.part(b"QUIT\r\n")


def expect(connection: Connection, code: bytes) -> None:
    """Read one reply, of one line or of several (RFC 5321, 4.2.1), and insist on its code."""
    for _ in range(_REPLY_LINES):
        line = connection.line()
        if line[:3] != code or line[3:4] not in (b"", b" ", b"-"):
            break
        if line[3:4] != b"-":
            return
    raise Failure("unexpected response: " + line.decode("utf-8", "surrogateescape"))


def stuffed(raw: bytes) -> bytes:
    """The message as it goes over the wire: each LF becomes CR LF, whatever stands before it; dots are doubled."""
    if not raw.endswith(b"\n"):
        raw += b"\n"
    wire = raw.replace(b"\n", b"\r\n").replace(b"\n.", b"\n..")
    return b"." + wire if wire.startswith(b".") else wire
