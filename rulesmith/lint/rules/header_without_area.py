"""A header field is sought in the whole message.

What it does: reports a regexp that begins with the name of a field and a colon, without `in headers`. Of a rule with
several the first is reported; the fix is for all.

Why is this bad: without an area the body is searched as well. A message that quotes or forwards another one matches by
the headers of that one. A large body takes time.

Example:

    match "^Subject:.*offer" action "offers"

Use instead: `"^Subject:.*offer" in headers`; `in all` if the body is meant too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import HEADERS, KNOWN, named
from rulesmith.lint.searches import searches
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.searches import Search

NAME = "header-without-area"
SEVERITY = Severity.WARNING


def _is_field(name: str, anchored: bool) -> bool:
    """Whether this is a field's name: without ^ before it only a common one, as other texts have colons too."""
    return (name in KNOWN or name.startswith("x-")) if anchored else name in HEADERS


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding for each rule with such regexps."""
    rules: dict[int, list[Search]] = {}
    for found in searches(compiled):
        names = named(found.text)
        if found.area != "any" or names is None or found.condition.span.end > found.regexp.span.end:
            continue
        if all(_is_field(name.lower(), names.anchored) for name in names.names):
            rules.setdefault(found.lowered[0], []).append(found)
    for several in rules.values():
        first = several[0]
        more = f" (and {len(several) - 1} more of this rule)" if len(several) > 1 else ""
        edits = tuple(
            Edit(Span(each.regexp.span.source, each.regexp.span.end, each.regexp.span.end), " in headers")
            for each in several
        )
        yield Finding(
            first.regexp.text.span,
            f"this looks for a header field, but searches the body too{more}",
            help="in headers",
            fix=Fix("in headers", edits),
        )
