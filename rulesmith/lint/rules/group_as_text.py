"""Parentheses that are meant as text.

What it does: notes a group of several words without `|`, `*` or the like, whose submatch the rule does not use.

Why is this bad: parentheses only group. `^Subject: (no subject)` matches `Subject: no subject`, and not the parentheses
that the mail has.

Example:

    match "^Subject: (no subject)" in headers action "empty"

Use instead: `\\\\(no subject\\\\)`; or no parentheses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs
from rulesmith.lint.searches import searches
from rulesmith.lint.written import cells
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.searches import Search

NAME = "group-as-text"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True

_GROUP = re.compile(r"(?<!\\)\(([A-Za-z0-9]+(?: [A-Za-z0-9]+)+)\)(?![*+?{])")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such group."""
    for found in searches(compiled):
        group = _GROUP.search(found.text)
        if group is None or _uses_submatches(compiled, found):
            continue
        if any(cell.eaten for piece in found.regexp.text.pieces for cell in cells(piece)):
            continue
        span = found.regexp.text.span
        at = span.text.find(group[0])
        place = span if at < 0 else Span(span.source, span.start + at, span.start + at + len(group[0]))
        yield Finding(place, "these parentheses group, and are no part of the text", help=f"\\\\({group[1]}\\\\)")


def _uses_submatches(compiled: Compiled, found: Search) -> bool:
    items = jobs(compiled, found.lowered)
    return items is None or found.rule.block is not None or "%" in repr(found.rule.items) or "%" in repr(items)
