"""The header of a scanned message: what goes, what comes, in rspamc's form (src/client/rspamc.cxx).

Nothing but the fields is touched: the rest of the header and the whole body keep their octets.
"""

from __future__ import annotations

import binascii

from rulesmith import __version__
from rulesmith.mail import header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.scan.reply import Reply

# What a sender may not tell us about his own mail: X-Spam and everything that begins with X-Spam-.
_OURS = b"x-spam"
# A name that is longer is not read to its end.
_LONGEST_NAME = 1000
_MOST_STARS = 32.0
# RFC 2047, 2: an encoded word has 75 characters at most; 12 of them are its frame.
_WORD_OCTETS = 45


def judged(raw: bytes, body_at: int, reply: Reply, seconds: float) -> bytes:
    """The message with rspamd's verdict as its last fields, those gone that it wants gone, and its subject."""
    head = raw[:body_at]
    for name, positions in reply.removed.items():
        head = _without(head, name, positions)
    head = _without(head, _OURS, [0], family=True)
    added = [
        # rspamc says its own version here, which is rspamd's.
        (b"X-Spam-Scanner", b" ".join(filter(None, (b"rspamc", reply.version, b"(%s)" % _us())))),
        (b"X-Spam-Scan-Time", b"%.3g" % seconds),
        *([(b"X-Spam", b"yes")] if reply.spam else []),
        (b"X-Spam-Action", reply.action),
        (b"X-Spam-Score", b"%.2f / %.2f" % (reply.score, reply.required)),
        (b"X-Spam-Level", _stars(reply.score)),
        (b"X-Spam-Symbols", b",\n\t".join(reply.symbols)),
        *((b"DKIM-Signature", value) for value in reply.signatures),
        *reply.added,
    ]
    if reply.subject is not None:
        head = _with_subject(head, _encoded(reply.subject), added)
    return _closed(raw, body_at, head, added)


def unscanned(raw: bytes, body_at: int, reason: str) -> bytes:
    """The message with a field that says why nobody has judged it; the sender's own verdict goes here as well."""
    head = _without(raw[:body_at], _OURS, [0], family=True)
    return _closed(raw, body_at, head, [(b"X-Spam-Status", b"unscanned (%s)" % reason.encode())])


def _us() -> bytes:
    return b"rulesmith " + __version__.encode()


def _stars(score: float) -> bytes:
    """One for each point, and one for what is left; subtracted like in rspamc, to round like there."""
    left = min(score, _MOST_STARS)
    stars = b""
    while left > 0:
        stars += b"*"
        left -= 1.0
    return stars


def _without(head: bytes, name: bytes, positions: list[int], family: bool = False) -> bytes:
    """The header without the fields of that name (lower case) at those positions: 0 all, 1 the first, -1 the last.

    With `family`, also those whose name goes on with `-`. Fields are looked for, not listed: a header may have
    millions of lines.
    """
    lower = head.lower()
    gone: set[int] | None = None
    if 0 not in positions:
        count = sum(1 for _ in _places(lower, name, family))
        gone = {place if place > 0 else count + 1 + place for place in positions}
    kept = bytearray()
    view = memoryview(head)
    at = 0
    for number, start in enumerate(_places(lower, name, family), 1):
        if start >= at and (gone is None or number in gone):
            kept += view[at:start]
            at = header.field_end(head, start)
    if not at:
        return head
    kept += view[at:]
    # A header may be as large as the mail.
    del lower
    return bytes(kept)


def _places(lower: bytes, name: bytes, family: bool):  # type: ignore[no-untyped-def]  # Iterator: as in sources/stdin.py
    """Offsets of the fields of that name."""
    if lower.startswith(name) and _ends_name(lower, len(name), family):
        yield 0
    line = b"\n" + name
    at = lower.find(line)
    while at >= 0:
        if _ends_name(lower, at + len(line), family):
            yield at + 1
        at = lower.find(line, at + 1)


def _ends_name(lower: bytes, at: int, family: bool) -> bool:
    """Whether the name of a field ends here; blanks before the colon do not hide one (RFC 5322, 4.5)."""
    sign = lower[at : at + 1]
    if sign == b":":
        return True
    if sign in (b" ", b"\t") or (family and sign == b"-"):
        rest, colon, _ = lower[at : at + _LONGEST_NAME].partition(b"\n")[0].partition(b":")
        return bool(colon) and (family or not rest.strip(header.BLANKS))
    return False


def _with_subject(head: bytes, subject: bytes, added: list[tuple[bytes, bytes]]) -> bytes:
    """The header with another first Subject; without one it is added at the end."""
    at = header.find(head, b"subject")
    if at < 0:
        added.append((b"Subject", subject))
        return head
    stop = header.field_end(head, at)
    end = _line_end(head)
    return head[: at + 8] + b" " + subject.replace(b"\n", end) + end + head[stop:]


def _encoded(subject: bytes) -> bytes:
    """The subject in ASCII: rspamd has mostly encoded it already, else in encoded words of UTF-8 (RFC 2047)."""
    if subject.isascii():
        return subject
    words = []
    while subject:
        cut = _WORD_OCTETS
        # Not through a character.
        while cut < len(subject) and cut > 1 and subject[cut] & 0xC0 == 0x80:
            cut -= 1
        words.append(b"=?UTF-8?B?%s?=" % binascii.b2a_base64(subject[:cut], newline=False))
        subject = subject[cut:]
    return b"\n ".join(words)


def _line_end(head: bytes) -> bytes:
    return b"\r\n" if head.endswith(b"\r\n") else b"\n"


def _closed(raw: bytes, body_at: int, head: bytes, added: list[tuple[bytes, bytes]]) -> bytes:
    """The message with this header and the added fields at its end, before the empty line.

    As in mail.header.add, but for many fields at once: each would copy the whole message.
    """
    body = memoryview(raw)[body_at:]
    first_line = raw[body_at : raw.find(b"\n", body_at) + 1]
    end = _line_end(head or first_line)
    block = b"".join([b"%s: %s%s" % (name, value.replace(b"\n", end), end) for name, value in added])
    if head in (b"\n", b"\r\n") or head.endswith((b"\n\n", b"\n\r\n")):
        return b"".join((memoryview(head)[: len(head) - len(end)], block, end, body))
    if head and not head.endswith(b"\n"):
        head += end
    return b"".join((head, block, end if len(body) or not head else b"", body))
