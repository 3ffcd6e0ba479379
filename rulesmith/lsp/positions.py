"""Offsets in a text and the positions of the protocol, which count lines from 0 and columns in units of an encoding."""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types

_BREAK = re.compile(r"\r\n|\r|\n")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """A text of an editor without halves of characters, which no octets stand for."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def shown(text: str) -> str:
    """A text that quotes a file, fit to be sent: octets that are no UTF-8 become replacement characters."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def is_text(text: str) -> bool:
    """Whether a text has no octets that are no UTF-8, so that an editor may write it."""
    return _LONE_SURROGATE.search(text) is None


class Lines:
    """The lines of a text as the protocol counts them: CR and CRLF end one as well."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding
        breaks = list(_BREAK.finditer(text))
        self._starts = [0, *(each.end() for each in breaks)]
        self._ends = [*(each.start() for each in breaks), len(text)]

    def position(self, offset: int) -> types.Position:
        """The position of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return types.Position(line, self._units(self.text[start : min(offset, self._ends[line])]))

    def offset(self, position: types.Position) -> int:
        """The offset of a position; one behind the end of a line is the end of that line."""
        if position.line >= len(self._starts):
            return len(self.text)
        at, end = self._starts[position.line], self._ends[position.line]
        left = position.character
        while at < end and left > 0:
            left -= self._units(self.text[at])
            at += 1
        return at

    def range(self, start: int, end: int) -> types.Range:
        """The range of a half-open range of characters."""
        return types.Range(self.position(start), self.position(end))

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends."""
        return self._ends[bisect_right(self._starts, offset) - 1]

    def line_start(self, offset: int) -> int:
        """Where the line of an offset starts."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def _units(self, text: str) -> int:
        if self.encoding == "utf-32" or text.isascii():
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(character > "\uffff" for character in text)
