"""The text of an mbox: separators, and the quoting of lines that look like one."""

from __future__ import annotations

from rulesmith.mail.date import ctime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def separator(address: bytes, when: int) -> bytes:
    """`From ADDRESS Sun Nov 22 11:12:08 2026`, without line end."""
    return b"From %s %s" % (address, ctime(when))


def quote(raw: bytes) -> bytes:
    """One `>` more before each line that is any number of `>` and `From `, also the first.

    fdm leaves the first line as it is, so that a mail can pose as a separator.
    """
    # One buffer, because a list of as many pieces as there are lines takes thirty times the message.
    out = bytearray()
    last = 0
    for start, _ in _from_lines(raw):
        out += raw[last:start]
        out += b">"
        last = start
    if not out:
        return raw
    out += raw[last:]
    return bytes(out)


def quoted_lines(raw: bytes) -> Iterator[bytes]:
    """The lines before which `quote` puts a `>`, without their ends."""
    for start, at in _from_lines(raw):
        end = raw.find(b"\n", at)
        yield raw[start : end if end >= 0 else None]


def unquote(raw: bytes) -> bytes:
    """One `>` less on each line that is at least one `>` and `From `: the reverse of `quote`."""
    out = bytearray()
    last = 0
    for start, at in _from_lines(raw):
        if start < at:
            out += raw[last:start]
            last = start + 1
    if not last:
        return raw
    out += raw[last:]
    return bytes(out)


def _from_lines(raw: bytes) -> Iterator[tuple[int, int]]:
    """Offsets of each line of any number of `>` and `From `, and of that `From `."""
    last = 0
    at = raw.find(b"From ")
    while at >= 0:
        start = last + len(raw[last:at].rstrip(b">"))
        if start == 0 or raw[start - 1] == 10:
            yield start, at
        last = at + 5
        at = raw.find(b"From ", last)
