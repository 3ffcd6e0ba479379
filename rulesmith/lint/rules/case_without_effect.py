"""`case` before a regexp that has no letters.

What it does: reports `case` where the regexp means the same without it.

Why is this bad: it says that something matters which does not; perhaps another regexp was meant.

Example:

    match case "^X-Priority: [12]" in headers action "urgent"

Use instead: the regexp without `case`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import parsed, searches
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "case-without-effect"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        if not found.regexp.case or not found.source:
            continue
        if parsed(found.source, True, found.pattern[4]) == parsed(found.source, False, found.pattern[4]):
            span = found.regexp.span
            word = Span(span.source, span.start, found.regexp.text.span.start)
            yield Finding(
                Span(span.source, span.start, span.start + len("case")),
                "case changes nothing here: there is no letter in the regexp",
                help="without case",
                fix=Fix("without case", (Edit(word, ""),)),
            )
