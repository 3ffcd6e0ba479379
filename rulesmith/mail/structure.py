"""The MIME structure of a mail: what the attachment conditions count and compare.

Types, names, order and sizes are fdm's wherever it finds an answer that holds. In many ordinary mails it finds none,
and so no attachments at all; this walk does (RFC 2046, 5.1): CR LF line ends, a nested multipart in last place, a
missing closing boundary, a part without Content-Type, a `;` inside or behind a quoted boundary.
"""

from __future__ import annotations

from rulesmith.limits import MIME_PARTS
from rulesmith.mail import header, parameters
from rulesmith.mail.containers import CLOSES, OPENS, Containers

TYPE_CHECKING = False
if TYPE_CHECKING:
    Part = tuple[bytes, bytes | None, int, bool]

# RFC 2045, 5.2: what a part without Content-Type is.
_DEFAULT_TYPE = b"text/plain"


def parts(raw: bytes, body_at: int) -> tuple[Part, ...]:
    """Each part as (type, name or None, size in octets, is a container): the root first, then in mail order.

    A mail that is no multipart, or in which no part begins, has none, not even a root. The size of a leaf is
    that of its boundary line, header and content, and of what stands before that line when it follows a nested
    container; that of a container is 0. The name is the `name` of the Content-Type, or else the `filename` of the
    Content-Disposition. message/rfc822 is a leaf. Of too many parts (limits.MIME_PARTS) the last takes all the rest.
    """
    if not body_at:
        return ()
    kind, name, boundary = _describe(header.unfold(raw[:body_at]))
    if boundary is None:
        return ()
    found: list[Part] = [(kind, name, 0, True)]
    containers = Containers(raw)
    containers.enter(boundary, body_at)
    leaf: tuple[int, bytes, bytes | None] | None = None  # where it began, type, name
    closed_at = 0  # behind the closing line just passed
    at = raw.find(b"\n--", body_at - 1) + 1
    while at:
        stop = _line_end(raw, at)
        step = containers.take(raw[at:stop], at)
        if len(found) >= MIME_PARTS and leaf is not None:
            break
        if step and leaf is not None:
            found.append((leaf[1], leaf[2], at - leaf[0], False))
            leaf = None
        if not containers:
            break
        if step == OPENS:
            head, stop = _part_header(raw, stop, containers)
            kind, name, boundary = _describe(head)
            if boundary is None:
                leaf = (closed_at or at, kind, name)
            else:
                found.append((kind, name, 0, True))
                containers.enter(boundary, stop)
        if step:
            closed_at = stop if step == CLOSES else 0
        at = raw.find(b"\n--", stop - 1) + 1
    if leaf is not None:
        found.append((leaf[1], leaf[2], len(raw) - leaf[0], False))
    return tuple(found) if len(found) > 1 else ()


def _line_end(raw: bytes, at: int) -> int:
    return raw.find(b"\n", at) + 1 or len(raw)


def _part_header(raw: bytes, at: int, containers: Containers) -> tuple[bytes, int]:
    """The header of a part, and where its content begins: behind an empty line, or at the next boundary line."""
    start = at
    while at < len(raw):
        stop = _line_end(raw, at)
        line = raw[at:stop]
        if line in (b"\n", b"\r\n"):
            return raw[start:at], stop
        if containers.meaning(line)[0]:
            break
        at = stop
    return raw[start:at], at


def _describe(head: bytes) -> tuple[bytes, bytes | None, bytes | None]:
    """Type and name that a header area gives, and the boundary if it is that of a multipart."""
    if not head:
        return _DEFAULT_TYPE, None, None
    content = _field(head, b"content-type")
    kind, of_type = parameters.parse(_DEFAULT_TYPE if content is None else content)
    boundary = of_type.get(b"boundary") if kind[:10].lower() == b"multipart/" else None
    _, of_disposition = parameters.parse(_field(head, b"content-disposition") or b"")
    names = (parameters.value(of_type, b"name"), parameters.value(of_disposition, b"filename"))
    return kind, names[0] or names[1] or (b"" if b"" in names else None), boundary


def _field(head: bytes, name: bytes) -> bytes | None:
    """The text behind a field's colon, folds and line end included.

    After a `;` at its end comes the next line, as in fdm: some programs forget the blank that makes it a fold.
    """
    at = header.find(head, name)
    if at < 0:
        return None
    start = last = at + len(name) + 1
    stop = header.field_end(head, at)
    while head[last:stop].rstrip(header.SPACE).endswith(b";") and head[stop : stop + 1] not in (b"", b"\r", b"\n"):
        last, stop = stop, header.field_end(head, stop)
    return head[start:stop]
