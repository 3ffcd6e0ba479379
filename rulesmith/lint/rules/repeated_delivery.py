"""Two deliveries of one message, and no place for the journal that keeps a retry from making the first one again.

What it does: with `--online`, notes the first rule that delivers a message of standard input twice when the folder of
the journal (`set journal`, or its usual place) cannot be written to here.

Why is this bad: if the second delivery fails, the caller brings the message again, and the first one is made again:
every try is one more copy.

Example:

    set journal "/root/journal"
    match all action { "inbox" "received" }

Use instead: a folder that the user who delivers may write to.
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
    from rulesmith.lint.system import System

NAME = "repeated-delivery"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled, system: System) -> Iterator[Finding]:
    """At most one finding."""
    settings = compiled.lowered.settings
    if settings["queue"] is not None or not stdin_accounts(compiled):
        return
    nearest = settings["journal"] or _usual_place(compiled)
    while nearest not in (b"", b"/") and system.folder(nearest) is False:
        nearest = nearest.rpartition(b"/")[0] or b"/"
    if not nearest or system.writable(nearest) is not False:
        return
    reached = {number for flow in flows(compiled) for number in flow.reached}
    for rung in ladder(compiled):
        items = jobs(compiled, rung.lowered) or [] if rung.lowered[0] in reached else []
        storing = [word for word, _, _ in items if word in STORING and word != "stdout"]
        if len(storing) > 1:
            yield Finding(
                place_of(compiled, rung.lowered),
                f"{len(storing)} deliveries: if a later one fails, the next try makes the first one again, "
                f"since you may not write to {nearest.decode('utf-8', 'backslashreplace')}",
                help='set journal "DIR"',
            )
            return


def _usual_place(compiled: Compiled) -> bytes:
    """Where the journal lies when nothing sets it (docs/promise.md, 3); the environment is not looked at."""
    name, uid, _, home = compiled.me
    return home + b"/.local/state/rulesmith" if uid else b"/var/lib/rulesmith"
