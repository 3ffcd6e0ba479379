"""An earlier rule takes every message that this rule would take.

What it does: reports a rule whose conditions hold only for messages that a rule above, without `continue`, has taken:
the same or a wider text, a prefix, one branch of an alternation, a wider set of accounts, a lower size. What it says is
proved on the regexps (every text with the one has the other), not tried.

Why is this bad: the rule does nothing. If its action is another one, mail goes where nobody wanted it.

Example:

    match "^List-Id:" in headers action "lists"
    match "^List-Id:.*<announce" in headers action "announce"

Use instead: the narrow rule above the wide one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs
from rulesmith.lint.ladder import ladder, mark
from rulesmith.lint.logic import STEADY, contradiction, implies, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung
    from rulesmith.lint.logic import Fact, Way

NAME = "shadowed-rule"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

# Conditions whose answer an action may change.
_OF_MESSAGE = frozenset(STEADY - {"account", "all"})
_EVERYTHING = frozenset([("all", (), False)])
_WAYS = 64
_CHANGES = frozenset(["rewrite", "add-header", "remove-header", "tag"])


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each rule that one above makes useless."""
    rungs = ladder(compiled)
    facts = {rung.lowered[0]: ways(rung.lowered[2]) for rung in rungs}
    changing = {rung.lowered[0] for rung in rungs if _may_change(rung, compiled)}
    for rung in rungs:
        mine = facts[rung.lowered[0]]
        if mine is None or any(contradiction(way) for way in mine):
            continue
        blocker = _blocker(rung, mine, facts, changing)
        if blocker is not None:
            same = _does(rung) == _does(blocker)
            what = "does the same" if same else "does something else"
            yield Finding(
                mark(rung),
                f"the rule in line {blocker.statement.span.line} takes every message that this one would, and {what}",
                also=(Label(mark(blocker), "this rule comes first"),),
                help="the narrow rule above the wide one" if not same else "only one of them",
            )


def _blocker(rung: Rung, mine: list[Way], facts: dict[int, list[Way] | None], changing: set[int]) -> Rung | None:
    inner: Rung | None = rung
    around: frozenset[Fact] = frozenset()
    while inner is not None:
        changed = False
        for other in reversed(inner.above):
            changed = changed or other.lowered[0] in changing
            for taker, theirs in _takers(other, facts):
                if all(any(_covers(way | around, wide, changed) for wide in theirs) for way in mine):
                    return taker
        inner = inner.around
        if inner is not None:
            outer = facts[inner.lowered[0]]
            if outer is not None and len(outer) == 1 and not changed:
                around |= outer[0]
    return None


def _takers(rung: Rung, facts: dict[int, list[Way] | None]) -> Iterator[tuple[Rung, list[Way]]]:
    """The rules that end the search, this one or those of its block, and when a message comes to be taken by them."""
    theirs = facts[rung.lowered[0]]
    if theirs is None:
        return
    if rung.statement.block is not None:
        for inner in rung.below:
            for taker, narrow in _takers(inner, facts):
                yield taker, [way | more for way in theirs for more in narrow][:_WAYS]
    elif not rung.statement.continues and theirs != [_EVERYTHING]:
        # A rule for everything is one for unreachable-rule.
        yield rung, theirs


def _covers(way: Way, wide: Way, changed: bool) -> bool:
    for fact in wide:
        if fact[0] not in STEADY or (changed and fact[0] in _OF_MESSAGE):
            return False
        if not any(implies(one, fact) for one in way):
            return False
    return True


def _may_change(rung: Rung, compiled: Compiled) -> bool:
    """Whether messages may be others behind a rule: it goes on, or it is a block with a rule that goes on."""
    if rung.below:
        return any(_may_change(inner, compiled) for inner in rung.below)
    items = jobs(compiled, rung.lowered)
    return rung.statement.continues and (items is None or any(item[0] in _CHANGES for item in items))


def _does(rung: Rung) -> tuple[object, ...]:
    _, _, _, users, names, items, block, _ = rung.lowered
    return users, names, None if items is None else tuple(item[:2] for item in items), block
