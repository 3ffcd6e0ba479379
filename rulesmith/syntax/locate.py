"""From an offset in a string's value back to the place where it was written, through escapes, macros and `+`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.source import Span
from rulesmith.syntax.literals import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.syntax.tree import MacroUse, Piece, Text


def locate(text: Text, offset: int) -> Span:
    """The place of the octet at `offset` of `text.value` (UTF-8, surrogateescape).

    An octet that a macro or a command gave is at the place of its use. The offset may be the length of the value:
    that is the closing quote. An offset beyond, or one in a value that is not known, is the whole string.
    """
    left = offset
    piece = None
    for piece in text.pieces if offset >= 0 else ():
        if piece.value is None:
            return text.span
        size = len(_octets(piece.value))
        if left < size:
            return _within(piece, left)
        left -= size
    if piece is None or left:
        return text.span
    if piece.kind in ("macro", "command"):
        return piece.span
    return Span(piece.span.source, piece.span.end - 1, piece.span.end)


def macro_at(text: Text, offset: int) -> MacroUse | None:
    """The macro that gave the octet at `offset`, if one did: its `defined` is the other place to name."""
    left = offset
    for piece in text.pieces if offset >= 0 else ():
        if piece.value is None:
            return None
        size = len(_octets(piece.value))
        if left < size:
            place = _within(piece, left)
            return next((use for use in piece.macros if use.span == place), None)
        left -= size
    return None


def _within(piece: Piece, left: int) -> Span:
    """The place of the octet `left` of a piece."""
    source, start = piece.span.source, piece.span.start
    for begin, end, value in _steps(piece):
        octets = _octets(value)
        if left >= len(octets):
            left -= len(octets)
            continue
        if value != piece.written[begin:end]:
            return Span(source, start + begin, start + end)
        # Plain text: as many characters further as there are in the octets before.
        characters = len(octets[:left].decode("utf-8", "surrogateescape"))
        if _octets(value[:characters]) != octets[:left]:
            # Between the octets of one character, each of which would count as one.
            characters = next(n for n in range(len(value), -1, -1) if len(_octets(value[:n])) <= left)
        return Span(source, start + begin + characters, start + begin + characters + 1)
    return piece.span


def _steps(piece: Piece) -> Iterator[tuple[int, int, str]]:
    if piece.kind in ("macro", "command"):
        return iter([(0, len(piece.written), piece.value or "")])
    return steps(piece.written, iter([use.value or "" for use in piece.macros]))


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
