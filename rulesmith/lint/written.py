"""A regexp as it is written: each of its characters with its place, and what backslashes did to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.lint.strings import regexps
from rulesmith.source import Span
from rulesmith.syntax.tree import MacroDefinition, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Piece

# What stands for a macro, whose text is not here.
MACRO = "\0"
_LEXED = {"n": "\n", "r": "\r", "t": "\t"}
_MEANT = '\\"$%'


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of a regexp. `escaped`: a backslash stands before it in the regexp. `eaten`: one stands before it
    in the file, and does not get that far. `in_set`: between brackets."""

    char: str
    escaped: bool
    eaten: bool
    in_set: bool
    start: int
    end: int


def cells(piece: Piece) -> list[Cell]:
    """The characters of a quoted part; none of a macro or command."""
    if piece.kind not in ("double", "single"):
        return []
    lexed = list(_lexed(piece))
    found: list[Cell] = []
    at, opened = 0, -1
    while at < len(lexed):
        char, eaten, start, end = lexed[at]
        escaped = eaten
        if char == "\\" and at + 1 < len(lexed):
            at += 1
            char, eaten, _, end = lexed[at]
            escaped = True
        at += 1
        in_set = opened >= 0
        if in_set and char == "]" and not escaped and len(found) > opened + 1:
            opened = -1
        elif not in_set and char == "[" and not escaped:
            opened = len(found)
            if at < len(lexed) and lexed[at][0] == "^":
                opened += 1
        found.append(Cell(char, escaped, eaten, in_set, start, end))
    return found


def _lexed(piece: Piece) -> Iterator[tuple[str, bool, int, int]]:
    """Characters as the parser sees them, whether they lost a backslash, and their places in the source."""
    inner, base = piece.written[1:-1], piece.span.start + 1
    at = 0
    while at < len(inner):
        start, char = at, inner[at]
        eaten = False
        if piece.kind == "double" and char == "\\" and at + 1 < len(inner):
            at += 1
            eaten = inner[at] not in _LEXED and inner[at] not in _MEANT
            char = _LEXED.get(inner[at], inner[at])
        elif piece.kind == "double" and inner[at : at + 2] in ("${", "%{"):
            at = max(inner.find("}", at), at)
            char = MACRO
        at += 1
        yield char, eaten, base + start, base + at


def regexp_texts(compiled: Compiled) -> list[Text]:
    """The strings that regexps are made of: those of conditions, and of the macros that they use."""
    texts = {id(each.text): each.text for each in regexps(compiled)}
    used = {
        name
        for text in texts.values()
        for piece in text.pieces
        for name in [use.name for use in piece.macros]
        + ([piece.written.replace("{", "").replace("}", "")] if piece.kind == "macro" else [])
    }
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, MacroDefinition) and statement.name in used and isinstance(statement.value, Text):
            texts[id(statement.value)] = statement.value
    return list(texts.values())


def place(piece: Piece, cell: Cell) -> Span:
    """Where a character stands."""
    return Span(piece.span.source, cell.start, cell.end)
