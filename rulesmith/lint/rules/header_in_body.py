"""A header line is sought in the body.

What it does: reports `in body` behind a regexp that begins with `^` and the name of a common header field.

Why is this bad: `in body` begins behind the headers. The rule matches only mail that quotes or forwards another one.
That is meant where the rule asks for a mailer daemon, too, and for `Content-` fields, which each part of a body has.

Example:

    match "^List-Id:.*<announce" in body action "announce"

Use instead: `in headers`.
"""

from __future__ import annotations

import re
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

# What a rule asks for that takes messages with another message in their body.
_ABOUT_BOUNCES = re.compile("daemon|postmaster|deliver|report|bounce|fwd|forward|<>", re.IGNORECASE)


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such area."""
    every = list(searches(compiled))
    bounces = {found.lowered[0] for found in every if found.area != "body" and _ABOUT_BOUNCES.search(found.text)}
    for found in every:
        names = named(found.text)
        if (
            found.area == "body"
            and names is not None
            and names.anchored
            and found.lowered[0] not in bounces
            and all(name.lower() in HEADERS and not name.lower().startswith("content-") for name in names.names)
        ):
            area = Span(found.condition.span.source, found.regexp.span.end, found.condition.span.end)
            start = area.start + len(area.text) - len(area.text.lstrip())
            place = Span(area.source, start, area.end)
            yield Finding(
                place,
                f"{names.names[0]} is a header field, and the body begins behind the headers",
                help="in headers",
            )
