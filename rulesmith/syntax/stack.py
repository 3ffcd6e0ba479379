"""What a parser has in hand: the words that it has taken, grown together to nodes as far as rules have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.syntax.table import load_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulesmith.syntax.word import Word


class Stack:
    """An LALR parser under way. `values` are words and nodes, each of which led from a state to the next one."""

    def __init__(self) -> None:
        self._rules, self._rows, self._end = load_table()
        self._states = [0]
        self.values: list[Any] = []

    def take(self, words: Sequence[Word], at: int) -> int:
        """Take words from this place on, up to one that cannot follow: its place, or how many there are.

        Behind `$END`, which is the last, `values` has the one node of the whole text.
        """
        rules, rows, states, values = self._rules, self._rows, self._states, self.values
        while at < len(words):
            word = words[at]
            symbol = word.type
            step = rows[states[-1]].get(symbol)
            while step is not None and step < 0:
                origin, size, gaps, spread, build = rules[~step]
                children: list[Any] = []
                if size:
                    children = values[-size:]
                    del values[-size:], states[-size:]
                for gap in gaps:
                    children.insert(gap, None)
                for place in spread:
                    if place:
                        children[place : place + 1] = children[place]
                    else:  # it is the long one: all before, and one more
                        first, *rest = children
                        first += rest
                        children = first
                values.append(build(children))
                states.append(rows[states[-1]][origin])
                step = rows[states[-1]].get(symbol)
            if states[-1] == self._end:
                return at + 1
            if step is None:
                return at
            states.append(step)
            values.append(word)
            at += 1
        return at

    def choices(self) -> frozenset[str]:
        """The symbols of this state; rules that have ended before some of them may yet refuse these."""
        return frozenset(self._rows[self._states[-1]])

    def accepts(self) -> frozenset[str]:
        """The terminals that `take` would take next."""
        return frozenset([symbol for symbol in self.choices() if self._accepts(symbol)])

    def _accepts(self, terminal: str) -> bool:
        states = self._states.copy()
        while True:
            step = self._rows[states[-1]].get(terminal)
            if step is None:
                return False
            if step >= 0:
                return terminal.isupper()
            origin, size, *_ = self._rules[~step]
            if size:
                del states[-size:]
            states.append(self._rows[states[-1]][origin])
            if states[-1] == self._end:
                return True

    def drop(self) -> Any:
        """Give up the last word or node."""
        self._states.pop()
        return self.values.pop()

    def is_before(self, terminal: str) -> bool:
        """Whether this terminal would be taken without an end of what is before it."""
        return self._rows[self._states[-1]].get(terminal, -1) >= 0
