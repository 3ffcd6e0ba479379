"""A message is changed after it was delivered.

What it does: reports `rewrite`, `add-header`, `remove-header` and `tag` behind the last delivery of a rule without
`continue`.

Why is this bad: the change comes too late: the message was stored as it was before.

Example:

    match all action { maildir "~/Mail" add-header "X-Seen" value "yes" }

Use instead: the change first, then the delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, jobs, place_of
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "change-after-delivery"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

_CHANGES = ("rewrite", "add-header", "remove-header")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    for rung in ladder(compiled):
        items = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        stored = [at for at, word in enumerate(items) if word in STORING]
        if rung.statement.continues or not stored:
            continue
        late = [word for word in items[stored[-1] + 1 :] if word in _CHANGES]
        if late:
            written = [item for item in rung.statement.items or () if item.word == late[0]]
            yield Finding(
                written[-1].span if written else place_of(compiled, rung.lowered),
                f"{late[0]} behind the last delivery changes nothing that is stored",
                help="the change first",
            )
