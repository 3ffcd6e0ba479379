"""A rule that no message comes to.

What it does: reports the first rule behind one that ends the evaluation for every message.

Why is this bad: the rule does nothing. What it should have taken goes where the rule above sends it.

Example:

    match all action "inbox"
    match "^List-Id:" in headers action "lists"

Use instead: the rule for everything at the end, or `continue` in it if the rules behind it shall see the message too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import all_flows
from rulesmith.lint.ladder import ladder, mark
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unreachable-rule"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the first rule behind each such rule."""
    ways = all_flows(compiled)
    told: set[int] = set()
    rungs = ladder(compiled)
    statements = {rung.lowered[0]: rung.statement for rung in rungs}
    for rung in rungs:
        number = rung.lowered[0]
        blockers = [flow.blocked[number] for flow in ways if number in flow.blocked]
        if not blockers or any(number in flow.reached for flow in ways):
            continue
        blocker = statements[blockers[0][0]]
        if blockers[0][0] in told:
            continue
        told.add(blockers[0][0])
        others = len([other for other in rungs if other.around is rung.around and number < other.lowered[0]])
        behind = (
            "" if not others else f", nor to the {others} behind it" if others > 1 else ", nor to the one behind it"
        )
        yield Finding(
            mark(rung),
            f"no message comes to this rule{behind}",
            also=(
                Label(
                    Span(blocker.span.source, blocker.span.start, blocker.span.start + 5), "this rule takes them all"
                ),
            ),
            help="the rule for everything as the last one, or continue in it",
        )
