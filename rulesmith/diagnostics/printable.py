"""Text as it can be shown on any terminal: what has no shape, or would change the shape of the rest, by number."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_TAB = 4


def printable(text: str) -> str:
    """The text with control characters, stray octets and marks of direction as `\\xNN` or `\\uNNNN`."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def width(text: str) -> int:
    """The columns of a terminal that printable text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _shown(character: str) -> str:
    code = ord(character)
    if character == "\t":
        return " " * _TAB
    if character.isprintable():
        return character
    if 0xDC80 <= code <= 0xDCFF:  # an octet that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(character: str) -> int:
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1
