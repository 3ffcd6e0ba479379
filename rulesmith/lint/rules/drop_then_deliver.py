"""`drop` with deliveries behind it.

What it does: reports `drop` in a list of items or actions that delivers the message afterwards, and `drop` with
`continue`.

Why is this bad: `drop` does not end anything; it only says that the source need not keep the message. Whoever wrote
`drop` first probably meant the message to be gone, and it is delivered.

Example:

    match "^X-Spam: yes" in headers action { drop maildir "~/Mail/spam" }

Use instead: `drop` alone, or the delivery alone.
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

NAME = "drop-then-deliver"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such list."""
    for rung in ladder(compiled):
        items = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        if rung.statement.continues and "drop" in items and not any(word in STORING for word in items):
            yield Finding(
                place_of(compiled, rung.lowered),
                "drop ends nothing: with continue the message goes on to the rules below",
                help="without continue",
            )
            continue
        if "drop" in items and any(word in STORING for word in items[items.index("drop") + 1 :]):
            written = [item for item in rung.statement.items or () if item.word == "drop"]
            yield Finding(
                written[0].span if written else place_of(compiled, rung.lowered),
                "drop ends nothing: the message is delivered behind it all the same",
                help="drop alone, or the delivery alone",
            )
