"""Two deliveries of one message, of which the second can fail.

What it does: notes the first rule that delivers a message of standard input twice, when no journal is set.

Why is this bad: if the second delivery fails, the caller brings the message again, and the first one is made again:
every try is one more copy.

Example:

    match all action { "inbox" "received" }

Use instead: `set journal "~/.local/state/rulesmith/journal"`, which remembers what was delivered; without it, the
delivery that can fail first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, flows, jobs, place_of, stdin_accounts
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "repeated-delivery"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """At most one finding."""
    settings = compiled.lowered.settings
    if settings["journal"] is not None or settings["queue"] is not None or not stdin_accounts(compiled):
        return
    reached = {number for flow in flows(compiled) for number in flow.reached}
    for rung in ladder(compiled):
        items = jobs(compiled, rung.lowered) or [] if rung.lowered[0] in reached else []
        storing = [word for word, _, _ in items if word in STORING and word != "stdout"]
        if len(storing) > 1:
            yield Finding(
                place_of(compiled, rung.lowered),
                f"{len(storing)} deliveries: if a later one fails, the next try makes the first one again",
                help='set journal "~/.local/state/rulesmith/journal"',
            )
            return
