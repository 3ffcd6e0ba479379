"""A header line is sought in the body.

What it does: reports `in body` behind a regexp that begins with `^` and the name of a common header field.

Why is this bad: `in body` begins behind the headers. The rule matches only mail that quotes or forwards another one.

Example:

    match "^List-Id:.*<announce" in body action "announce"

Use instead: `in headers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import HEADERS, named
from rulesmith.lint.searches import searches
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "header-in-body"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such area."""
    for found in searches(compiled):
        names = named(found.text)
        if (
            found.area == "body"
            and names is not None
            and names.anchored
            and all(name.lower() in HEADERS for name in names.names)
        ):
            area = Span(found.condition.span.source, found.regexp.span.end, found.condition.span.end)
            start = area.start + len(area.text) - len(area.text.lstrip())
            place = Span(area.source, start, area.end)
            yield Finding(
                place,
                f"{names.names[0]} is a header field, and the body begins behind the headers",
                help="in headers",
            )
