"""A number that is too small without a unit.

What it does: reports ages and times of expiry below a minute, and sizes below 200 octets, that are written without a
unit.

Why is this bad: without one, times are seconds and sizes octets. `age > 30` is half a minute, and no message is smaller
than 100 octets.

Example:

    match age > 30 action "archive"

Use instead: `age > 30 days`, `size > 100K`.
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

NAME = "missing-unit"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such number."""
    times = [phrase.args[1] for phrase, is_condition in phrases(compiled) if is_condition and phrase.word == "age"]
    times += [
        statement.expire
        for statement in compiled.config.statements
        if isinstance(statement, Cache) and statement.expire
    ]
    for number in times:
        if number.unit is None and number.value is not None and 0 < number.value < 60:
            yield Finding(number.span, f"without a unit this is {number.value} seconds", help=f"{number.value} days")
    sized = ("size", "attachment-total-size", "attachment-any-size")
    for phrase, is_condition in phrases(compiled):
        number = phrase.args[1] if is_condition and phrase.word in sized else None
        if number is not None and number.unit is None and number.value is not None and 0 < number.value < 200:
            yield Finding(number.span, f"without a unit this is {number.value} octets", help=f"{number.value}K")
