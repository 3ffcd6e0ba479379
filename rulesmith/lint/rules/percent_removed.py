"""A percent sign that vanishes.

What it does: reports `%` in a string before a character that is no tag.

Why is this bad: the sign and the character behind it are removed, silently: `"100% free"` becomes `"100free"`, in a
regexp as well as in a path, a command or a password.

Example:

    match "^Subject:.*100% free" in headers action "junk"

Use instead: `%%`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.percents import removed_percents, strings
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "percent-removed"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding for each string with such signs."""
    for piece in strings(compiled):
        gone = removed_percents(piece)
        if gone:
            first = gone[0]
            edits = tuple(Edit(Span(each.source, each.start, each.start), "%") for each in gone)
            yield Finding(
                first, f"{first.text!r} is removed: there is no such tag", help="%%", fix=Fix("%% for %", edits)
            )
