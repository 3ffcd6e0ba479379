"""One token: what the lexer hands to the parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.source import Source, Span

if TYPE_CHECKING:
    from rulesmith.syntax.tree import MacroUse


class Word:
    """A terminal with its place.

    `value` is the text of a string or the value of a number (None when a command was not run), and the spelling
    of everything else. `macros` are the macros that a string or number was made with.
    """

    __slots__ = ("end", "macros", "source", "start", "type", "value")

    def __init__(
        self,
        type: str,  # noqa: A002 - the name Lark reads
        source: Source,
        start: int,
        end: int,
        value: str | int | None,
        macros: tuple[MacroUse, ...] = (),
    ) -> None:
        self.type = type
        self.source = source
        self.start = start
        self.end = end
        self.value = value
        self.macros = macros

    def __repr__(self) -> str:
        return f"Word({self.type}, {self.written!r})"

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    @property
    def written(self) -> str:
        return self.source.text[self.start : self.end]
