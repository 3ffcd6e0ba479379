"""The `imap` and `imaps` actions: log in to a server and APPEND a message to a folder (fdm.conf(5), RFC 3501).

Not imaplib: it turns a lone CR of the message into a line end, and a message has to arrive as fdm sends it.
"""

from __future__ import annotations

from rulesmith.delivery.connection import Connection, connect
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

    # host, port, user, password, folder, flags, and the word of the action: "imap" or "imaps"
    Args = tuple[bytes, bytes, bytes, bytes, bytes, tuple[str, ...], str]
    # What a command is made of: octets to send as they are, and literals (RFC 3501, 4.3) as a tuple of one.
    Piece = bytes | tuple[bytes]

# A server that speaks of other things for longer than this does not mean to answer.
_UNTAGGED_LINES = 10000


def deliver(args: Args, raw: bytes, user: tuple[bytes, int, int, bytes], world: World) -> dict[bytes, bytes]:
    """Append `raw` to a folder, which is made when the server asks for that. Raises Failure."""
    host, port, login, password, folder, flags, kind = args
    connection = connect(host, port, world)
    try:
        if kind == "imaps":
            _encrypt(connection, host, flags, world)
        session = _Session(connection)
        if not session.greeted():
            session.ask(b"CAPABILITY")
            if "starttls" in flags:
                if b"STARTTLS" not in session.capabilities:
                    raise Failure("server doesn't support STARTTLS")
                session.insist(b"STARTTLS")
                _encrypt(connection, host, flags, world)
                # What was promised in the clear does not count, and much is offered only now.
                session.capabilities.clear()
                session.insist(b"CAPABILITY")
            _log_in(session, login, password, flags, (host, port))
        _append(session, folder.translate(None, b"\r\n\0"), raw)
    except BaseException:
        connection.close()
        raise
    connection.part(session.tagged() + b"LOGOUT\r\n")
    return {}


class _Session:
    """Commands and their answers."""

    def __init__(self, connection: Connection) -> None:
        self.capabilities: set[bytes] = set()
        self._connection = connection
        self._number = 0

    def greeted(self) -> bool:
        """Read the greeting; say whether the server knows us already."""
        line = self._connection.line()
        word = line.split(b" ", 2)[1:2]
        if not line.startswith(b"* ") or word not in ([b"OK"], [b"PREAUTH"]):
            raise _unexpected(line)
        return word == [b"PREAUTH"]

    def tagged(self) -> bytes:
        """The beginning of the next command."""
        self._number += 1
        return b"%d " % self._number

    def ask(self, *pieces: Piece) -> bytes:
        """Send a command, each literal when the server is ready for it; its answer, or an early refusal."""
        pending = self.tagged()
        for piece in pieces:
            if isinstance(piece, bytes):
                pending += piece
                continue
            self._connection.send(pending + b"{%d}\r\n" % len(piece[0]))
            answer = self.answer()
            if not answer.startswith(b"+"):
                return answer
            self._connection.send(piece[0])
            pending = b""
        self._connection.send(pending + b"\r\n")
        return self.answer()

    def insist(self, *pieces: Piece) -> None:
        """`ask`, and take nothing but OK for an answer."""
        self.must_be_ok(self.ask(*pieces))

    def must_be_ok(self, answer: bytes) -> None:
        if self.status(answer) != b"OK":
            raise _unexpected(answer)

    def status(self, answer: bytes) -> bytes:
        """OK, NO or BAD; empty where it is not the answer to our command."""
        tag, _, rest = answer.partition(b" ")
        return rest.partition(b" ")[0].upper() if tag == b"%d" % self._number else b""

    def reply(self, challenge: bytes, text: bytes) -> None:
        """Answer the server's challenge in the middle of a login."""
        if not challenge.startswith(b"+"):
            raise _unexpected(challenge)
        self._connection.send(text + b"\r\n")
        self.must_be_ok(self.answer())

    def answer(self) -> bytes:
        """The next line that is not about something else; capabilities are noted in passing."""
        for _ in range(_UNTAGGED_LINES):
            line = self._connection.line()
            if not line.startswith(b"* "):
                return line
            words = line.upper().split()
            if words[1:2] == [b"CAPABILITY"]:
                self.capabilities.update(words[2:])
        raise _unexpected(line)


def _encrypt(connection: Connection, host: bytes, flags: tuple[str, ...], world: World) -> None:
    from rulesmith.delivery import tls  # loads ssl, the dearest module of all

    verify = world.settings["verify-certificates"] and "no-verify" not in flags
    connection.start_tls(tls.context(verify, "insecure" in flags), host.decode("utf-8", "surrogateescape"))


def _log_in(
    session: _Session, user: bytes, password: bytes, flags: tuple[str, ...], server: tuple[bytes, bytes]
) -> None:
    """In fdm's order: a token where one was asked for, CRAM-MD5, PLAIN, LOGIN."""
    offered = session.capabilities
    if "oauthbearer" in flags and b"AUTH=OAUTHBEARER" in offered:
        # RFC 7628, 3.1
        bearer = b"n,a=%s,\1host=%s\1port=%s\1auth=Bearer %s\1\1" % (user, *server, password)
        session.insist(b"AUTHENTICATE OAUTHBEARER " + _base64(bearer))
    elif "xoauth2" in flags and b"AUTH=XOAUTH2" in offered:
        session.insist(b"AUTHENTICATE XOAUTH2 " + _base64(b"user=%s\1auth=Bearer %s\1\1" % (user, password)))
    elif "no-cram-md5" not in flags and b"AUTH=CRAM-MD5" in offered:
        challenge = session.ask(b"AUTHENTICATE CRAM-MD5")
        session.reply(challenge, _base64(user + b" " + _cram_md5(challenge, password)))
    elif "no-plain" not in flags and b"AUTH=PLAIN" in offered:
        session.reply(session.ask(b"AUTHENTICATE PLAIN"), _base64(b"\0%s\0%s" % (user, password)))
    elif "no-login" not in flags:
        session.insist(b"LOGIN ", _quoted(user), b" ", _quoted(password))
    else:
        raise Failure("no authentication methods")


def _append(session: _Session, folder: bytes, raw: bytes) -> None:
    # As fdm: each LF becomes CR LF, but for the last, which is left to the command's own line end.
    message = raw.removesuffix(b"\n").replace(b"\n", b"\r\n")
    command: tuple[Piece, ...] = (b"APPEND ", _quoted(folder), b" ", (message,))
    answer = session.ask(*command)
    if session.status(answer) == b"NO" and b"[TRYCREATE]" in answer.upper():
        made = session.ask(b"CREATE ", (folder,))
        # Another delivery may have been quicker.
        if b"[ALREADYEXISTS]" not in made.upper():
            session.must_be_ok(made)
        answer = session.ask(*command)
    if session.status(answer) != b"OK":
        raise Failure("invalid response: " + answer.decode("utf-8", "surrogateescape"))


def _quoted(text: bytes) -> Piece:
    """A quoted string where its octets allow it, else a literal."""
    if text.isascii() and not any(octet in text for octet in b'"\\\r\n\0'):
        return b'"' + text + b'"'
    return (text,)


def _cram_md5(challenge: bytes, password: bytes) -> bytes:
    """RFC 2195: the digest of the server's challenge under the password, in hexadecimal."""
    import binascii
    import hmac  # no other way to log in wants it

    try:
        stamp = binascii.a2b_base64(challenge[1:].strip(), strict_mode=True)
    except binascii.Error:
        raise _unexpected(challenge) from None
    return hmac.new(password, stamp, "md5").hexdigest().encode()


def _base64(text: bytes) -> bytes:
    import binascii

    return binascii.b2a_base64(text, newline=False)


def _unexpected(line: bytes) -> Failure:
    return Failure("unexpected data: " + line.decode("utf-8", "surrogateescape"))
