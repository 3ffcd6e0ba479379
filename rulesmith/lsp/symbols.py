"""The outline of a file: what it defines, and its rules with those in their blocks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol import types

from rulesmith.lsp.positions import Lines, shown
from rulesmith.syntax.tree import Account, Action, Cache, MacroDefinition, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.lsp.book import Reading
    from rulesmith.syntax.tree import Statement

Kind = types.SymbolKind
_LONGEST = 60


def symbols(reading: Reading, path: str, encoding: str) -> list[types.DocumentSymbol]:
    """The statements of one file; options are left out."""
    source = reading.sources.get(path)
    if source is None:
        return []
    outline = _Outline(path, Lines(source.text, encoding))
    return outline.of(reading.compiled.config.statements)


class _Outline:
    def __init__(self, path: str, lines: Lines) -> None:
        self.path = path
        self.lines = lines

    def of(self, statements: Iterable[Statement]) -> list[types.DocumentSymbol]:
        found = []
        for statement in statements:
            if os.path.abspath(statement.span.source.name) != self.path:
                # A part that is included into a block is looked for as well.
                found += self.of(statement.block or ()) if isinstance(statement, Rule) else []
                continue
            symbol = self._symbol(statement)
            found += [] if symbol is None else [symbol]
        return found

    def _symbol(self, statement: Statement) -> types.DocumentSymbol | None:
        match statement:
            case Action():
                name, kind, named = statement.name.value, Kind.Function, statement.name.span
            case Account():
                name, kind, named = statement.name.value, Kind.Interface, statement.name.span
            case Cache():
                name, kind, named = statement.path.value, Kind.File, statement.path.span
            case MacroDefinition():
                name, kind, named = statement.name, Kind.Constant, statement.span
            case Rule():
                name, kind, named = self._title(statement), Kind.Event, statement.span
            case _:
                return None
        span = statement.span
        block = statement.block or () if isinstance(statement, Rule) else ()
        return types.DocumentSymbol(
            shown(name or named.text) or "?",
            kind,
            self.lines.range(span.start, span.end),
            self.lines.range(named.start, named.end),
            children=self.of(block) if block else None,
        )

    def _title(self, rule: Rule) -> str:
        """The rule's first line, shortened."""
        text = " ".join(rule.span.text.partition("{" if rule.block is not None else "\0")[0].split())
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
