"""A submatch that is not of this rule.

What it does: reports `%1` to `%9` in the action of a rule when the last regexp that is tried before it has fewer
groups, is the regexp of another rule, or does not exist.

Why is this bad: every regexp that is tried replaces all submatches, also one that fails, and also those of rules that
do not match. `%1` is then empty, or text of the wrong field.

Example:

    match "^List-Id: <(.*)>" in headers and "^To: bob" in headers action maildir "~/Mail/%1"

Use instead: the regexp with the group last; or `tag "list" value "%1"` with `continue` right behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs, place_of
from rulesmith.lint.ladder import ladder
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung
    from rulesmith.regexp.tree import Parsed

NAME = "stale-submatch"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each rule with such a submatch."""
    groups = {(found.lowered[0], id(found.condition)): found.parsed for found in searches(compiled)}
    told: set[int] = set()
    for rung in ladder(compiled):
        if rung.statement.block is not None:
            continue
        wanted = _wanted(compiled, rung)
        if not wanted:
            continue
        owner, counts = _last(rung, groups)
        if None in counts:
            continue
        if owner is None:
            late, message = wanted, f"%{wanted[0]} is empty: no regexp is tried before it"
        elif owner is rung or owner in list(rung.outside()):
            most = min(count for count in counts if count is not None)
            late = [number for number in wanted if number > most]
            message = (
                f"%{late[0]} is empty: the last regexp before it has {most or 'no'} group{'' if most == 1 else 's'}"
                if late
                else ""
            )
        else:
            late, message = wanted, f"%{wanted[0]} is of a rule above, which did not match this message"
        if late and rung.lowered[0] not in told:
            told.add(rung.lowered[0])
            yield Finding(
                place_of(compiled, rung.lowered),
                message,
                help="tag … value, with continue, right behind the regexp with the group",
            )


def _wanted(compiled: Compiled, rung: Rung) -> list[int]:
    """The numbers of the submatches that the action uses."""
    items = jobs(compiled, rung.lowered)
    found: set[int] = set()
    for _, args, _ in items or ():
        found.update(_numbers(args))
    if items is None:
        for name in rung.lowered[4] or ():
            found.update(_numbers((name,)))
    return sorted(found - {0})


def _numbers(args: object) -> set[int]:
    """Of a template, and of what holds templates."""
    if not isinstance(args, tuple):
        return set()
    if len(args) == 2 and isinstance(args[0], bytes) and isinstance(args[1], tuple) and b"%" in args[0]:
        return {part[0] for part in args[1] if isinstance(part, tuple) and isinstance(part[0], int)}
    found: set[int] = set()
    for arg in args:
        found |= _numbers(arg)
    return found


def _last(rung: Rung, groups: dict[tuple[int, int], Parsed | None]) -> tuple[Rung | None, list[int | None]]:
    """The rule whose regexp was tried last before the action, and the groups of those that may have been it."""
    at: Rung | None = rung
    while at is not None:
        for other in (at, *reversed(at.above)):
            if other is not at and any(_asks(inner) for inner in other.below):
                return other, [None]  # whichever it was
            counts = _counts(other, groups)
            if counts:
                return other, counts
            if _asks_otherwise(other):
                return other, [None]
        at = at.around
    return None, []


def _counts(rung: Rung, groups: dict[tuple[int, int], Parsed | None]) -> list[int | None]:
    """The groups of each regexp of a rule that may have been tried last when the rule matches."""
    counts: list[int | None] = []
    for condition in rung.statement.conditions:
        if condition.phrase.word != "regexp":
            if condition.phrase.word in ("string", "exec", "pipe"):
                counts.append(None)
            continue
        tree = groups.get((rung.lowered[0], id(condition)))
        count = None if tree is None else tree.groups
        counts = [*counts, count] if condition.join == "or" else [count]
    return counts


def _asks(rung: Rung) -> bool:
    return any(condition.phrase.word == "regexp" for condition in rung.statement.conditions) or any(
        map(_asks, rung.below)
    )


def _asks_otherwise(rung: Rung) -> bool:
    return any(condition.phrase.word in ("string", "exec", "pipe") for condition in rung.statement.conditions)
