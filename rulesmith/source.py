"""Texts that configurations are made of, and places in them."""

from __future__ import annotations

from bisect import bisect_right

from rulesmith.value import Value


class Source:
    """One configuration text.

    `name` is the path as it was given or opened. `text` is UTF-8 decoded with surrogateescape, so that
    every octet of the file comes back when it is encoded again. `included_at` is the include statement.
    """

    __slots__ = ("_starts", "included_at", "name", "text")

    def __init__(self, name: str, text: str, included_at: Span | None = None) -> None:
        self.name = name
        self.text = text
        self.included_at = included_at
        self._starts: list[int] = []

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; columns count characters."""
        if not self._starts:
            self._starts.append(0)
            at = self.text.find("\n")
            while at >= 0:
                self._starts.append(at + 1)
                at = self.text.find("\n", at + 1)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, from 1, without its line feed."""
        self.line_column(0)
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]


class Span(Value):
    """A half-open range of characters in a source."""

    source: Source
    start: int
    end: int

    def line_column(self) -> tuple[int, int]:
        return self.source.line_column(self.start)

    def end_line_column(self) -> tuple[int, int]:
        return self.source.line_column(self.end)

    @property
    def line(self) -> int:
        return self.line_column()[0]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`; this span alone where the sources differ."""
        if other.source is not self.source:
            return self
        return Span(self.source, self.start, max(self.end, other.end))
