"""`in headers` at the last of several regexps, as if it were for all.

What it does: notes a rule in which regexps without an area are followed by one with `in headers` or `in body`. (Where
they name header fields, `header-without-area` speaks.)

Why is this bad: the area belongs to one regexp. The others search the whole message.

Example:

    match "invoice" or "receipt" in headers action "money"

Use instead: the area at each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.searches import Search

NAME = "area-of-last-only"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the first regexp without an area."""
    rules: dict[int, list[Search]] = {}
    for found in searches(compiled):
        rules.setdefault(found.lowered[0], []).append(found)
    for several in rules.values():
        last = several[-1]
        bare = [each for each in several[:-1] if each.condition.span.end == each.regexp.span.end]
        if len(bare) != len(several) - 1 or not bare or last.condition.span.end == last.regexp.span.end:
            continue
        names = named(bare[0].text)
        if names is None:
            yield Finding(
                bare[0].regexp.text.span,
                f"this searches the whole message: the area belongs to {last.regexp.text.span.text} only",
                also=(Label(last.condition.span, "this has an area"),),
                help=f"in {last.area} here as well, or in all",
            )
