"""`not age` also takes mail without a date.

What it does: notes `not age < T` and `not age > T` in a rule that does not ask for `age invalid`.

Why is this bad: both comparisons are false for a message whose Date is missing or wrong, so that `not` makes them true:
the rule takes such mail as well.

Example:

    match not age < 3 months action drop

Use instead: the other comparison, `age > 3 months`; or `and not age invalid`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "undated-mail"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    for rung in ladder(compiled):
        words = [condition.phrase.word for condition in rung.statement.conditions]
        if "age-invalid" in words or any(
            other.phrase.word == "age-invalid" for outer in rung.outside() for other in outer.statement.conditions
        ):
            continue
        for condition in rung.statement.conditions:
            if condition.phrase.word == "age" and condition.negated:
                other = ">" if condition.phrase.args[0] == "<" else "<"
                yield Finding(
                    condition.span,
                    "this is also true for a message without a valid date",
                    help=f"age {other} {condition.phrase.args[1].span.text}, or and not age invalid",
                )
