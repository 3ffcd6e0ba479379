"""Where a part of a value stands in the text: from an offset in a string's octets back to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.source import Span

if TYPE_CHECKING:
    from rulesmith.syntax.tree import Text


def place_in(text: Text, offset: int) -> Span | None:
    """The span from an offset (octets of the value after tags were replaced) to the end of the string.

    None where the value is not simply what is written: macros, commands and tags move everything behind them.
    """
    start = 0
    for piece in text.pieces:
        if piece.kind not in ("double", "single"):
            return None
        inner = piece.written[1:-1]
        at = 0
        while at < len(inner):
            pair = inner[at : at + 2]
            width = 1
            if piece.kind == "double" and pair[:1] == "\\":
                width = len(pair)
            elif piece.kind == "double" and pair in ("${", "%{"):
                return None
            octets = len(inner[at + width - 1].encode("utf-8", "surrogateescape"))
            if inner[at + width - 1] == "%":
                if inner[at + width : at + width + 1] != "%":
                    return None
                width += 1
            if start + octets > offset:
                return Span(piece.span.source, piece.span.start + 1 + at, piece.span.end - 1)
            start += octets
            at += width
    if not text.pieces or start != offset:
        return None
    last = text.pieces[-1].span
    return Span(last.source, last.end - 1, last.end)
