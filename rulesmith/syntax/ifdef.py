"""`ifdef`, `ifndef`, `endif`: which parts of a text count.

Each `endif` closes its own block. In fdm 2.2 skipping goes on to the outermost one (L34), and a string macro is not
yet known in the line below its definition (L33).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rulesmith.diagnostics.model import Label
from rulesmith.syntax.quoting import Fault

if TYPE_CHECKING:
    from rulesmith.syntax.word import Word


class _Block(NamedTuple):
    word: Word
    active: bool


class Blocks:
    """The open blocks; they may span include files."""

    def __init__(self) -> None:
        self._open: list[_Block] = []

    @property
    def active(self) -> bool:
        """Whether what stands here counts."""
        return all(block.active for block in self._open)

    def open(self, word: Word, *, active: bool) -> None:
        """Enter the block of an `ifdef` or `ifndef`."""
        self._open.append(_Block(word, active))

    def close(self, word: Word) -> Fault | None:
        """Leave a block at this `endif`; a fault if there is none."""
        if self._open:
            self._open.pop()
            return None
        message = "`endif` without an `ifdef` or `ifndef` before it"
        return Fault("spurious-endif", message, word.start, word.end, "spurious endif")

    def unclosed(self, end: int) -> tuple[Fault, Label] | None:
        """What to say at the end of the input, if a block is open, and where it was opened."""
        if not self._open:
            return None
        word = self._open[-1].word
        message = f"expected `endif`: the block opened by `{word.written}` is not closed"
        return Fault("missing-endif", message, end, end, "missing endif"), Label(word.span, "this block is open")
