"""The header area of a mail: finding it, reading fields, adding and removing them.

A mail is carried as (raw, body_at): its octets, and the offset where the body begins; 0 means that it has no
header area. The offset is decided once, by `boundary`, when the mail arrives (or comes back from `rewrite`).
After that every change keeps the rule `new body_at = old body_at + len(new) - len(old)`, and `boundary` must not
be asked again: plain text under a Received line would give another answer.

Lines end with LF or CR LF (fdm knows LF alone, so that CRLF mail has no header there).
"""

from __future__ import annotations

from rulesmith.mail import glob
from rulesmith.mail.date import rfc822

BLANKS = b" \t"
SPACE = b" \t\n\v\f\r"
# fdm cuts the host and the account's name in its Received field.
RECEIVED_OCTETS = 350
# RFC 5322, 3.6.8: a field's name is printable ASCII without the colon.
_NAME_OCTETS = bytes(octet for octet in range(33, 127) if octet != 58)
_BREAKS = b"\r\n\0"


def boundary(raw: bytes) -> int:
    """Offset of the body: behind the first empty line, which belongs to the header area.

    Without an empty line the mail is all header if each of its lines is a field or continues one, and else
    has no header area (0).
    """
    if raw[:1] == b"\n":
        return 1
    if raw[:2] == b"\r\n":
        return 2
    at = raw.find(b"\n\n")
    crlf = raw.find(b"\n\r\n", 0, len(raw) if at < 0 else at + 1)
    if crlf >= 0:
        return crlf + 3
    if at >= 0:
        return at + 2
    return len(raw) if _is_all_header(raw) else 0


def _is_all_header(raw: bytes) -> bool:
    at, end = 0, len(raw)
    while at < end:
        stop = raw.find(b"\n", at) + 1 or end
        if raw[at] not in BLANKS:
            name, colon, _ = raw[at:stop].partition(b":")
            name = name.rstrip(BLANKS)
            if not colon or not name or name.translate(None, _NAME_OCTETS):
                return False
        elif at == 0:
            return False
        at = stop
    return end > 0


def unfold(head: bytes) -> bytes:
    """The header area as conditions see it: a line end before a blank or tab is one blank, the other stays.

    So `a,` LF TAB `b` reads `a, ` TAB `b`, as in fdm.
    """
    if b"\n " not in head and b"\n\t" not in head:
        return head
    for blank in (b" ", b"\t"):
        head = head.replace(b"\r\n" + blank, b" " + blank).replace(b"\n" + blank, b" " + blank)
    return head


def fields(head: bytes) -> list[bytes]:
    """The header area cut into fields, each with its continuation lines and line ends.

    Joined they are `head` again: lines that are no field, and the empty line at the end, are items too.
    """
    found = []
    at, end = 0, len(head)
    while at < end:
        stop = field_end(head, at)
        found.append(head[at:stop])
        at = stop
    return found


def field_end(head: bytes, at: int) -> int:
    """Offset behind the field that begins at `at`, its continuation lines included."""
    while True:
        at = head.find(b"\n", at) + 1
        if not at:
            return len(head)
        if head[at : at + 1] not in (b" ", b"\t"):
            return at


def find(head: bytes, name: bytes) -> int:
    """Offset of the first field of that name (any case, the colon follows at once), or -1."""
    head = head.lower()
    name = name.lower() + b":"
    if head.startswith(name):
        return 0
    at = head.find(b"\n" + name)
    return at + 1 if at >= 0 else -1


def first(head: bytes, name: bytes) -> bytes | None:
    """Value of the first field of that name: unfolded, without leading white space and line end."""
    at = find(head, name)
    if at < 0:
        return None
    value = unfold(head[at + len(name) + 1 : field_end(head, at)])
    return line_text(value).lstrip(SPACE)


def line_text(line: bytes) -> bytes:
    """A line without its line end."""
    if line[-1:] != b"\n":
        return line
    return line[:-2] if line[-2:-1] == b"\r" else line[:-1]


def message_id(head: bytes) -> bytes | None:
    """Value of the Message-ID, angle brackets and trailing blanks kept; None without one or where it is empty."""
    return first(head, b"message-id") or None


def add(raw: bytes, body_at: int, name: bytes, value: bytes) -> bytes:
    """Add `name: value` as last field, with the line end that the header area (or the mail) uses.

    Name and value go in as they are, as in fdm: the caller keeps line ends out of what comes from a mail.
    A mail without header area gets one, with its empty line. A header area that runs into text without an empty
    line (fdm's Received line above plain text) gets the empty line too, since the text would otherwise follow
    the new field as garbage. A mail that is all header stays so.
    """
    # Views, because head or body may be most of a very large mail.
    octets = memoryview(raw)
    last = raw[max(0, body_at - 4) : body_at]
    if body_at:
        end = b"\r\n" if last.endswith(b"\r\n") else b"\n"
    else:
        at = raw.find(b"\n")
        end = b"\r\n" if at > 0 and raw[at - 1] == 13 else b"\n"
    field = name + b": " + value + end
    if last.endswith((b"\n\n", b"\n\r\n")) or (last == end and body_at < 3):
        at = body_at - len(end)
        return b"".join((octets[:at], field, octets[at:]))
    before = end if body_at and not last.endswith(b"\n") else b""
    after = end if body_at < len(raw) or not body_at else b""
    return b"".join((octets[:body_at], before, field, after, octets[body_at:]))


def remove(raw: bytes, body_at: int, patterns: list[bytes]) -> bytes:
    """Take out every field whose name matches one of the patterns (fnmatch, any case), with its continuation lines.

    The name is what stands before the first colon of the unfolded line, trailing blanks included; a line
    without colon is no field and stays. All other octets stay as they are, folds too.
    """
    kept: list[memoryview] = []
    octets = memoryview(raw)
    start = at = 0
    while at < body_at:
        stop = min(field_end(raw, at), body_at)
        colon = raw.find(b":", at, stop)
        if colon >= 0:
            name = unfold(raw[at:colon])
            if any(glob.matches(pattern, name, True) for pattern in patterns):
                kept.append(octets[start:at])
                start = stop
        at = stop
    return b"".join((*kept, octets[start:])) if start else raw


def received(host: bytes, version: bytes, account: bytes, kind: bytes, when: int, program: bytes = b"fdm") -> bytes:
    """fdm's Received field: three lines, a blank before the first line end, always LF."""
    host = host[:RECEIVED_OCTETS].translate(None, _BREAKS)
    account = account[:RECEIVED_OCTETS].translate(None, _BREAKS)
    return b'Received: by %s (%s %s, account "%s") \n\twith %s (unencrypted)\n\t%s\n' % (
        host,
        program,
        version,
        account,
        kind,
        rfc822(when),
    )


def insert_received(raw: bytes, body_at: int, line: bytes) -> tuple[bytes, int]:
    """Put the Received field where fdm puts it: before the first Received field, else at the top.

    fdm looks for that field only where an empty line made of LF alone ends the header, so CRLF mail and mail that
    is all header get it at the top; so do they here, to deliver the same octets. Of a mail without header area
    the inserted field alone is the header area, directly followed by the text.
    """
    at = max(find(raw[:body_at], b"received"), 0) if b"\n\n" in raw else 0
    # A view, because the rest may be most of a very large mail.
    return b"".join((raw[:at], line, memoryview(raw)[at:])), body_at + len(line)


def strip_from_line(raw: bytes) -> bytes:
    """Without a leading mbox separator (`From `, case counts), if the mail has an empty line made of LF alone."""
    if raw[:5] != b"From " or b"\n\n" not in raw:
        return raw
    return raw[raw.find(b"\n") + 1 :]
