"""A configuration cut into tokens as they are written, comments among them; nothing is expanded or included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rulesmith.syntax import literals, quoting
from rulesmith.syntax.macros import Macros
from rulesmith.syntax.words import KEYWORDS, SYMBOLS

if TYPE_CHECKING:
    from rulesmith.source import Source

COMMENT = "COMMENT"
_GAP = re.compile(r"[ \t\n]*+")
# Behind include and ifdef all white space of C is one gap.
_WIDE_GAP = re.compile(r"[ \t\n\v\f\r]*+")
_TOKEN = re.compile(
    r"""
    (?P<comment> \#[^\n]*+ )
  | (?P<word>    [A-Za-z_-][A-Za-z0-9_-]*+ )
  | (?P<symbol>  == | != | [=!~+(),<>{}*] )
  | (?P<number>  [0-9]++ )
  | (?P<string>  ["'] )
  | (?P<macro>   [$%] )
    """,
    re.VERBOSE,
)
_WIDE = ("INCLUDE", "IFDEF", "IFNDEF")


class Unreadable(Exception):
    """The text cannot be cut into tokens; says where and why."""

    def __init__(self, source: Source, at: int, message: str) -> None:
        line, column = source.line_column(at)
        super().__init__(f"{source.name}:{line}:{column}: {message}")


@dataclass(frozen=True, slots=True)
class Token:
    """`fresh`: the first of its line; `blank`: behind an empty line."""

    terminal: str
    text: str
    fresh: bool
    blank: bool


def tokenize(source: Source) -> list[Token]:
    """All tokens. Raises Unreadable."""
    text = source.text
    macros = Macros({})
    found: list[Token] = []
    at = 0
    while True:
        wide = bool(found) and found[-1].terminal in _WIDE
        gap = (_WIDE_GAP if wide else _GAP).match(text, at)
        assert gap is not None
        at = gap.end()
        if at == len(text):
            return found
        terminal, end = _token(source, at, found, macros)
        breaks = gap.group().count("\n")
        found.append(Token(terminal, text[at:end].rstrip(" \t"), breaks > 0 or not found, breaks > 1))
        at = end


def _token(source: Source, at: int, before: list[Token], macros: Macros) -> tuple[str, int]:
    text = source.text
    match = _TOKEN.match(text, at)
    if match is None:
        raise Unreadable(source, at, f"{text[at]!r} can begin nothing")
    kind, end = match.lastgroup, match.end()
    past = islice((each.terminal for each in reversed(before) if each.terminal != COMMENT), 1, 2)
    score = literals.SCORE.match(text, at) if next(past, "") == "SCORE" else None
    if score is not None:
        return "DECIMAL", score.end()
    if kind == "comment":
        return COMMENT, end
    if kind == "word":
        terminal = KEYWORDS.get(match.group())
        if terminal is None:
            raise Unreadable(source, at, f"`{match.group()}` is no word of the language")
        return terminal, end
    if kind == "symbol":
        return SYMBOLS[match.group()], end
    if kind == "number":
        return "NUMBER", end
    return _long(source, at, kind == "macro", macros)


def _long(source: Source, at: int, macro: bool, macros: Macros) -> tuple[str, int]:
    text = source.text
    if macro and text[at + 1 : at + 2] != "(":
        end, fault = quoting.macro_name(text, at)
        if fault:
            raise Unreadable(source, fault.start, fault.message)
        return "STRMACRO" if text[at] == "$" else "NUMMACRO", end
    if macro:
        scan, terminal = quoting.command(source, at, macros), "STRCOMMAND"
    elif text[at] == '"':
        scan, terminal = quoting.double_quoted(source, at, macros), "STR"
    else:
        scan, terminal = quoting.single_quoted(source, at), "STR"
    if not scan.closed:
        raise Unreadable(source, at, scan.faults[-1].message)
    return terminal, scan.end
