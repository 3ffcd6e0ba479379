"""A `keep` that the end of the rules undoes.

What it does: reports `keep` in a rule with `continue`, when `unmatched-mail` is `drop` and a message can go past all
rules behind it.

Why is this bad: what happens at the end of the rules overrides every decision made on the way. The message is dropped.

Example:

    set unmatched-mail drop
    match "^From: boss@" in headers action keep continue

Use instead: `keep` without `continue`, or a delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import all_flows, jobs, place_of
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "keep-overridden"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such rule."""
    if compiled.lowered.settings["unmatched-mail"] != "drop":
        return
    if not any(state.decision == "keep" for flow in all_flows(compiled) for state in flow.falls):
        return
    for rung in ladder(compiled):
        words = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        if rung.statement.continues and [word for word in words if word in ("keep", "drop")][-1:] == ["keep"]:
            yield Finding(
                place_of(compiled, rung.lowered),
                "the end of the rules overrides this: unmatched-mail drops the message",
                help="keep without continue",
            )
