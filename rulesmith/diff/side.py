"""One of the two configurations, ready to say what it would do with a message, in whatever process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rulesmith.delivery import people
from rulesmith.explain.driver import World
from rulesmith.explain.machine import look_up
from rulesmith.explain.simulate import simulate

if TYPE_CHECKING:
    from typing import Any

    from rulesmith.explain.assumption import Assumption
    from rulesmith.explain.driver import User
    from rulesmith.explain.simulate import Circumstances
    from rulesmith.explain.trace import Report
    from rulesmith.program import Account, Program
    from rulesmith.scan.reply import Reply


@dataclass(frozen=True)
class Side:
    """A program with everything that its answers depend on; no command of it is run."""

    path: str
    program: Program
    account: Account
    circumstances: Circumstances
    assumptions: tuple[Assumption, ...] = ()
    spam: Reply | None = None

    def explain(self, raw: bytes) -> Report:
        """What would become of a message."""
        return simulate(self.program, self.account, raw, self.circumstances, self._world, self.spam, detail=False)

    @cached_property
    def _world(self) -> World:
        return World(who=self._who, look_up=look_up, assumptions=self.assumptions)

    def _who(self, name: bytes) -> User | None:
        me = self.circumstances.me
        return me if name == me[0] else people.who(name)

    def says_the_same(self, other: Side) -> bool:
        """Whether both must do the same with every message: the same rules, wherever they stand."""
        return _without_places(self) == _without_places(other)


def _without_places(side: Side) -> tuple[Any, ...]:
    settings, caches, _, actions, rules = side.program
    name, disabled, users, word, args, keep, _ = side.account
    found = tuple((name, users, _items(items)) for name, users, items, _ in actions)
    return settings, caches, found, tuple(map(_rule, rules)), (name, disabled, users, word, args, keep)


def _rule(rule: tuple[Any, ...]) -> tuple[Any, ...]:
    number, _, expression, users, names, items, block, goes_on = rule
    inner = None if block is None else tuple(map(_rule, block))
    return number, expression, users, names, None if items is None else _items(items), inner, goes_on


def _items(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((word, args) for word, args, _ in items)
