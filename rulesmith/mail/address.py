"""The sender's address for the mbox separator, found in the From field as fdm finds it."""

from __future__ import annotations

from rulesmith.mail import header

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_USER = _LETTERS + b"._%+-"
_DOMAIN = _LETTERS + b".-[]"
_BEFORE = b"< "
_BEHIND = b"> ,;"


def sender(head: bytes) -> bytes | None:
    """The address in the first From field of a header area, or None.

    fdm looks at the first line of the field alone; where that is empty, so does nobody: the rest of it counts.
    """
    at = header.find(head, b"from")
    if at < 0:
        return None
    line = header.line_text(head[at + 5 : (head.find(b"\n", at) + 1) or None]).lstrip(header.SPACE)
    return sender_address(line or header.first(head, b"from") or b"")


def sender_address(value: bytes) -> bytes | None:
    """The first address in the value of a From field, or None; the user's name then stands in for it.

    The rules are fdm's: quoted text does not count; from an `@` domain characters reach to the right up to the
    end, `>`, a blank, `,` or `;`; user characters reach to the left up to `<`, a blank or the first octet, which
    is not looked at and belongs to the address; `<` and `>` go together. Ours alone: a `<` as first octet does
    not belong to the address, and an empty value has none.
    """
    value = value.lstrip(header.SPACE).rstrip(b"\r\n")
    text = _without_quoted(value)
    at = text.find(b"@", 1)
    while at >= 0:
        right = at + 1
        while right < len(text) and text[right] in _DOMAIN:
            right += 1
        if right == len(text) or text[right] in _BEHIND:
            left = at - 1
            while left > 0 and text[left] in _USER:
                left -= 1
            angle = text[left] == 60
            if (left == 0 or text[left] in _BEFORE) and angle == (text[right : right + 1] == b">"):
                return value[left + (left > 0 or angle) : right]
        at = text.find(b"@", right + 1)
    return None


def _without_quoted(value: bytes) -> bytes:
    """Blanks in place of what stands between double quotes; the quotes stay."""
    if b'"' not in value:
        return value
    pieces = value.split(b'"')
    for index in range(1, len(pieces), 2):
        pieces[index] = b" " * len(pieces[index])
    return b'"'.join(pieces)
