"""The regexps that search a message, each with its rule, its area and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rulesmith.program import is_unknown
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import parse
from rulesmith.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.program import Pattern
    from rulesmith.program import Rule as Lowered
    from rulesmith.regexp.tree import Parsed


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """`pattern` is what the engine searches with; its first element is the regexp after tags were replaced."""

    rule: tree.Rule
    lowered: Lowered
    condition: tree.Condition
    regexp: tree.Regexp
    area: str
    pattern: Pattern

    @property
    def source(self) -> bytes:
        found: bytes = self.pattern[0]
        return found

    @property
    def text(self) -> str:
        """The source for matching with `re`, one character for each octet."""
        return self.source.decode("latin-1")

    @property
    def parsed(self) -> Parsed | None:
        return parsed(self.source, self.regexp.case, self.pattern[4])


@lru_cache(maxsize=4096)
def parsed(source: bytes, case: bool, dialect: str) -> Parsed | None:
    """The tree of a regexp; None for the empty one and for one that cannot be used."""
    try:
        return parse(source, case, dialect) if source else None
    except RegexpError:
        return None


def searches(compiled: Compiled) -> Iterator[Search]:
    """Every condition that searches an area of the message, in the order of the file."""
    found = [
        Search(statement, lowered, condition, condition.phrase.args[0], condition.phrase.args[1], term[3][0])
        for statement, lowered in compiled.lowered.added
        if isinstance(statement, tree.Rule)
        for condition, term in zip(statement.conditions, lowered[2], strict=True)
        if term[2] == "regexp" and not is_unknown(term[3][0])
    ]
    yield from sorted(found, key=lambda search: search.lowered[0])
