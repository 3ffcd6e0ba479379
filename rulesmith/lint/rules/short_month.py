"""A month of 28 days, or a year of 336.

What it does: notes `month`, `months`, `year` and `years` in ages and in the expiry of caches.

Why is this bad: a month is four weeks here, and a year twelve of these: four weeks less than the calendar's. What shall
be kept for ten years goes almost a year early.

Example:

    match age > 1 years action drop

Use instead: days, `age > 365 days`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases
from rulesmith.syntax.tree import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "short-month"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each year."""
    numbers = [phrase.args[1] for phrase, is_condition in phrases(compiled) if is_condition and phrase.word == "age"]
    numbers += [
        statement.expire
        for statement in compiled.config.statements
        if isinstance(statement, Cache) and statement.expire
    ]
    for number in numbers:
        unit = (number.unit or "").rstrip("s")
        if unit in ("year", "month") and number.value is not None:
            days = number.value // 86400
            yield Finding(
                number.span, f"a {unit} is {'28' if unit == 'month' else '336'} days: this is {days} days", help="days"
            )
