"""The conditions of a rule cannot hold together.

What it does: reports a rule whose conditions contradict each other, or those of the block around it; `matched` where no
rule above can have matched, and `unmatched` where one always has.

Why is this bad: the rule does nothing, and what it was written for goes on to the rules below.

Example:

    match size < 10K and size > 1M action "odd"
    match matched action "copied"

Use instead: `or` where either is meant; `matched` only behind rules with `continue`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import all_flows
from rulesmith.lint.ladder import ladder
from rulesmith.lint.logic import STEADY, contradiction, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung
    from rulesmith.lint.logic import Fact

NAME = "impossible-rule"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the condition that cannot be."""
    flown = all_flows(compiled)
    told: set[int] = set()
    for rung in ladder(compiled):
        if any(outer.lowered[0] in told for outer in rung.outside()):
            continue
        conditions = rung.statement.conditions
        values = {value for flow in flown for value in flow.values.get(rung.lowered[0], ())}
        found = _against(rung)
        if found is None and values == {False}:
            found = _known(rung)
        if found is not None:
            at, message = found
            told.add(rung.lowered[0])
            yield Finding(conditions[at].span, message)


def _known(rung: Rung) -> tuple[int, str]:
    """What the way of the messages alone decides."""
    for at, condition in enumerate(rung.statement.conditions):
        word = condition.phrase.word
        if (word == "matched") != condition.negated and word in ("matched", "unmatched"):
            return at, "no rule above can have matched a message that comes here: none of them has continue"
        if word in ("matched", "unmatched"):
            return at, "a rule above has matched every message that comes here"
    return 0, "no message that comes here can match this rule"


def _against(rung: Rung) -> tuple[int, str] | None:
    """The condition that excludes another one in each way in which the rule could match."""
    mine = ways(rung.lowered[2])
    if mine is None:
        return None
    around: frozenset[Fact] = frozenset()
    for outer in rung.outside():
        theirs = ways(outer.lowered[2])
        # What an action between may have changed is not known any more.
        if theirs is not None and len(theirs) == 1 and not _changed(rung):
            around |= frozenset(fact for fact in theirs[0] if fact[0] in STEADY)
    found = None
    for way in mine:
        found = contradiction(way | around)
        if found is None:
            return None
    if found is None:
        return None
    facts = [(word, args, negated) for _, negated, word, args in rung.lowered[2]]
    places = [at for at, fact in enumerate(facts) if fact in found]
    if not places:
        return None
    if len(places) == 1 and found[0] != found[1]:
        return places[-1], "the block that this rule stands in takes only messages that do not match this"
    return places[-1], "this can never be true" if found[0] == found[
        1
    ] else "this cannot be true together with what stands before it"


def _changed(rung: Rung) -> bool:
    """Whether a rule above in the same block can have changed the message."""
    return any(other.statement.continues or other.below for other in rung.above)
