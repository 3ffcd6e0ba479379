"""The rules as a ladder: each with those above it and the one around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rulesmith.source import Span
from rulesmith.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.program import Rule as Lowered


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """A rule. `above` are the rungs before it in the same list, `around` is the rule whose block it stands in."""

    statement: tree.Rule
    lowered: Lowered
    above: tuple[Rung, ...]
    around: Rung | None
    below: list[Rung] = field(default_factory=list)  # of its block

    def outside(self) -> Iterator[Rung]:
        """The rules around it, the nearest first."""
        rung = self.around
        while rung is not None:
            yield rung
            rung = rung.around


def ladder(compiled: Compiled) -> list[Rung]:
    """All rules in the order of the file."""
    lowered = {id(statement): found for statement, found in compiled.lowered.added if isinstance(statement, tree.Rule)}
    rungs: list[Rung] = []
    _climb(compiled.config.statements, None, lowered, rungs)
    return rungs


def _climb(
    statements: Iterable[tree.Statement], around: Rung | None, lowered: dict[int, Lowered], rungs: list[Rung]
) -> None:
    above: list[Rung] = []
    for statement in statements:
        if not isinstance(statement, tree.Rule) or id(statement) not in lowered:
            continue
        rung = Rung(statement, lowered[id(statement)], tuple(above), around)
        if around is not None:
            around.below.append(rung)
        rungs.append(rung)
        above.append(rung)
        if statement.block is not None:
            _climb(statement.block, rung, lowered, rungs)


def mark(rung: Rung) -> Span:
    """The word `match` of a rule."""
    span = rung.statement.span
    return Span(span.source, span.start, span.start + len("match"))
