"""Percent signs that are no tags: where they stand, and what becomes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.lint.strings import pieces
from rulesmith.source import Span
from rulesmith.syntax.tree import Set
from rulesmith.template import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Piece

_TAGS = "".join(alias.decode() for alias in ALIASES) + "0123456789"
_SIGN = re.compile(r"\\.|%%|%\[|%:|%\{|%(.?)", re.DOTALL)
# The format of date(1), and of anything else that takes one behind a plus.
_DATE = re.compile(r"""\bdate\b[^|;&]*?\s(?:"|\\"|')?\+((?:%%|[^\s|;&'"`)\\])*%(?!%)(?:%%|[^|;&'"`)\\])*)""")


def strings(compiled: Compiled) -> Iterator[Piece]:
    """Every quoted string in which tags are replaced."""
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Set) and statement.option in ("strip-characters", "default-user", "command-user"):
            continue
        yield from (piece for piece in pieces(statement) if piece.kind in ("double", "single"))


def removed_percents(piece: Piece) -> list[Span]:
    """The percent signs of a string that vanish together with the character behind them."""
    found = []
    inner, base = piece.written[1:-1], piece.span.start + 1
    formats = [match.span(1) for match in _DATE.finditer(inner)]
    for sign in _SIGN.finditer(inner):
        if sign[1] is None or (sign[1] and sign[1] in _TAGS):
            continue
        if any(start <= sign.start() < end for start, end in formats):
            continue
        found.append(Span(piece.span.source, base + sign.start(), base + sign.end()))
    return found


def date_formats(piece: Piece) -> list[tuple[Span, list[Span]]]:
    """The formats of date(1) in a command, and the single percent signs in each."""
    inner, base = piece.written[1:-1], piece.span.start + 1
    found = []
    for match in _DATE.finditer(inner):
        signs = [
            Span(piece.span.source, base + match.start(1) + sign.start(), base + match.start(1) + sign.start() + 1)
            for sign in re.finditer(r"%%|%(?!\[)", match[1])
            if sign[0] == "%"
        ]
        if signs:
            found.append((Span(piece.span.source, base + match.start(1), base + match.end(1)), signs))
    return found
