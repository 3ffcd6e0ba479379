"""What rspamd is told of a message that was fetched: it saw no SMTP, so its header has to tell.

Who wrote the fields is not known for sure; none of them makes a message better than saying nothing would.
"""

from __future__ import annotations

from rulesmith.mail import header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.scan.hops import Hop

# The envelope is at the top, where the last host put it; nobody looks for it behind so many octets.
HEAD_OCTETS = 262144


def told(head: bytes, user: bytes, hop: Hop | None) -> list[tuple[bytes, bytes]]:
    """rspamd's request fields (protocol.md), from the first HEAD_OCTETS of a header.

    IP, Helo and Hostname are the hand-off hop's; From is the Return-Path; Rcpt is whom the message was sent to, and
    whose mailbox it came to; Deliver-To is our user, for statistics of his own. `User` is not told: it would say
    that the sender had logged in.
    """
    listed = []
    if hop is not None:
        listed += [(b"IP", hop.address), (b"Helo", hop.helo), (b"Hostname", hop.hostname)]
    sender = header.first(head, b"return-path")
    if sender is not None:
        listed.append((b"From", _address(sender) or b"<>"))
    recipients = []
    for name in (b"x-original-to", b"delivered-to"):
        address = _address(header.first(head, name) or b"")
        if address and address not in recipients:
            recipients.append(address)
    listed += [(b"Rcpt", address) for address in recipients]
    listed.append((b"Deliver-To", user))
    return listed


def _address(value: bytes) -> bytes:
    """What stands between angle brackets, or else all of it."""
    value = value.strip()
    _, angle, rest = value.partition(b"<")
    return rest.partition(b">")[0].strip() if angle else value
