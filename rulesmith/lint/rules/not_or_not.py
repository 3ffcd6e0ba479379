"""`not A or not B`, which is nearly always true.

What it does: reports a rule in which only negated regexps are joined by `or`.

Why is this bad: it is false only for a message that has both. Whoever writes it mostly means "neither", and that is
`and`.

Example:

    match not "^From: ann@" in headers or not "^From: bob@" in headers action drop

Use instead: `not … and not …`, or one regexp with `(ann|bob)` and `not` before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "not-or-not"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the second of the conditions."""
    for rung in ladder(compiled):
        conditions = rung.statement.conditions
        if len(conditions) < 2 or any(condition.join == "and" for condition in conditions):
            continue
        if all(
            condition.negated and condition.phrase.word in ("regexp", "account", "string") for condition in conditions
        ):
            yield Finding(
                conditions[1].span,
                "a message must match all of these to be spared: every other one is taken",
                help="and, if neither is meant",
            )
