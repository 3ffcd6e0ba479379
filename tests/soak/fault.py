"""Faults: what can break, which of it is broken now, and when the next one comes."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random

from tests.soak.chronicle import now
from tests.soak.stage import Stage


class NothingToBreak(Exception):
    """Nobody was there to be killed."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault: while `work` is entered the thing is broken; its exit mends it.

    Two faults of one `part` never meet. `longest` is in seconds; 0 for a blow that needs no mending.
    """

    name: str
    part: str
    work: Callable[[Stage, Random], AbstractContextManager[object]]
    longest: float = 5.0

    @property
    def often(self) -> int:
        """A blow meets one process, and hardly ever in the moment that matters."""
        return 1 if self.longest else 3


class Faults:
    """`pace` is the mean of the seconds between two faults."""

    def __init__(self, stage: Stage, kinds: Sequence[Kind], rng: Random, pace: float) -> None:
        self._stage = stage
        self._kinds = kinds
        self._rng = rng
        self._pace = pace
        self._working: list[tuple[float, Kind, contextlib.ExitStack]] = []
        self._next = now() + pace
        self._bag: list[Kind] = []
        self.count: Counter[str] = Counter()

    def step(self) -> float:
        """Mend what has been broken for long enough, break what is next; seconds until there is something to do."""
        for entry in list(self._working):
            if entry[0] <= now():
                self._mend(entry)
        if self._next <= now():
            self._break()
            self._next = now() + self._rng.uniform(0.2, 1.8) * self._pace
        return max(0.0, min([self._next, *(until for until, _, _ in self._working)]) - now())

    def heal(self) -> None:
        """Everything works again."""
        for entry in list(self._working):
            self._mend(entry)

    def _break(self) -> None:
        kind = self._draw()
        seconds = self._rng.uniform(0.3, max(0.3, kind.longest))
        stack = contextlib.ExitStack()
        self._stage.chronicle.note(f"{kind.name}: begins")
        try:
            stack.enter_context(kind.work(self._stage, self._rng))
        except NothingToBreak:
            self._stage.chronicle.note(f"{kind.name}: nobody was there")
            # Once more, but a kind that finds nobody for a long time must not take the others' turns.
            if kind not in self._bag:
                self._bag.append(kind)
            return
        self.count[kind.name] += 1
        if kind.longest:
            self._working.append((now() + seconds, kind, stack))
        else:
            stack.close()

    def _draw(self) -> Kind:
        """Every kind as often as the others of its sort, in any order."""
        if len(self._bag) < len(self._kinds) // 2:
            fresh = [kind for kind in self._kinds for _ in range(kind.often)]
            self._rng.shuffle(fresh)
            self._bag += fresh
        broken = {kind.part for _, kind, _ in self._working if kind.part}
        kind = next(kind for kind in self._bag if kind.part not in broken)
        self._bag.remove(kind)
        return kind

    def _mend(self, entry: tuple[float, Kind, contextlib.ExitStack]) -> None:
        self._working.remove(entry)
        entry[2].close()
        self._stage.chronicle.note(f"{entry[1].name}: ends")
