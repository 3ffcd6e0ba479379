"""The name of a header field without `^` before it.

What it does: reports a regexp `in headers` that begins with the name of a common field and a colon, but not with `^`.

Why is this bad: it also matches fields whose name only ends like this (`X-Original-From:` has `From:`), and the words
wherever they stand in another field.

Example:

    match "From:.*bob@" in headers action "bob"

Use instead: `^From:`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import HEADERS, named
from rulesmith.lint.searches import searches
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "missing-anchor"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        names = named(found.text)
        if found.area != "headers" or names is None or names.anchored:
            continue
        if not all(name.lower() in HEADERS for name in names.names):
            continue
        first = found.regexp.text.pieces[0]
        fix = None
        if first.kind in ("double", "single") and "|" not in found.text[names.end :]:
            inside = Span(first.span.source, first.span.start + 1, first.span.start + 1)
            fix = Fix("^ before the name", (Edit(inside, "^"),))
        yield Finding(
            found.regexp.text.span,
            f"without ^ this also finds fields that only end in {names.names[0]}, such as X-Old-{names.names[0]}",
            help=f"^{found.text[: names.end]}",
            fix=fix,
        )
