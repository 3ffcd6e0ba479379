"""A request to rspamd (its protocol.md): the fields beside the message."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulesmith.scan.server import Server

SCAN = b"/checkv2"
PING = b"/ping"
STAT = b"/stat"
LEARN = {"spam": b"/learnspam", "ham": b"/learnham"}

# rspamd's own client, and so its modules for greylisting, rate limits and DMARC reports, which are for mail that could
# still be refused, leave the message alone (lua_util.is_rspamc_or_controller).
_AGENT = (b"User-Agent", b"rspamc")
# Longer than any address or host name (RFC 5321, 4.5.3.1); what is longer is no such thing, and is not told.
_LONGEST = 512
_PRINTABLE = bytes(range(32, 127))


def fields(told: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The request's fields: who asks, and what is told of the message. Values come from mail and are made harmless."""
    listed = [_AGENT]
    for name, value in told:
        # A control character would end the field, or the request.
        if value and len(value) <= _LONGEST and not value.translate(None, _PRINTABLE):
            listed.append((name, value))
    return listed


def head(server: Server, target: bytes, told: Sequence[tuple[bytes, bytes]], length: int) -> bytes:
    """Everything of a POST up to the message of `length` octets."""
    lines = [
        b"POST %s HTTP/1.1" % target,
        b"Host: " + server.name(),
        b"Connection: close",
        b"Content-Length: %d" % length,
    ]
    lines += [name + b": " + value for name, value in fields(told)]
    return b"\r\n".join([*lines, b"", b""])
