"""A rule that says the same as one above.

What it does: reports a rule with the same conditions and the same action as an earlier rule of the same list, where
both are run because the first has `continue`.

Why is this bad: every message that matches is delivered twice.

Example:

    match "^List-Id:" in headers action "lists" continue
    match "^List-Id:" in headers action "lists" continue

Use instead: only one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs
from rulesmith.lint.ladder import ladder, mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung

NAME = "duplicate-rule"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

# What is pointless to do twice, and what people may repeat on purpose.
_STORES = ("maildir", "mbox", "append", "smtp", "lmtp", "imap", "imaps")
_STEPS = ("rewrite", "exec", "pipe")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the second of two rules."""
    for rung in ladder(compiled):
        items = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        if not any(word in _STORES for word in items) or any(word in _STEPS for word in items):
            continue
        for other in rung.above:
            if other.statement.continues and _said(other) == _said(rung):
                yield Finding(
                    mark(rung),
                    f"this is the rule of line {other.statement.span.line} again, and both are run",
                    also=(Label(mark(other), "the same"),),
                    help="only one of them",
                )
                break


def _said(rung: Rung) -> tuple[object, ...]:
    statement = rung.statement
    return statement.conditions, statement.users, statement.names, statement.items, statement.block
