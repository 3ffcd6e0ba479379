"""A format of date(1) whose percent signs fdm takes for its own.

What it does: reports `date +FORMAT` in a string, with single percent signs.

Why is this bad: fdm replaces or removes them before the shell sees the command: `date +%Y-%m-%d` asks for the day of
the year in place of the year, and `date +%F` for nothing.

Example:

    match all action exec "touch /tmp/mail-$(date +%F)"

Use instead: `%%`: `date +%%Y-%%m-%%d`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.percents import date_formats, strings
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "date-in-command"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each format."""
    for piece in strings(compiled):
        for whole, signs in date_formats(piece):
            edits = tuple(Edit(Span(sign.source, sign.start, sign.start), "%") for sign in signs)
            yield Finding(
                whole,
                "fdm takes these percent signs for tags before date sees them",
                help="%% for each",
                fix=Fix("%% for %", edits),
            )
