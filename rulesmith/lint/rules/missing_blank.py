"""No blank behind the colon of a header field.

What it does: reports a regexp that has text directly behind `^Name:`.

Why is this bad: mail has a blank there: `Subject: foo`. The regexp `^Subject:foo` does not match it.

Example:

    match "^From:bob@example\\\\.org" in headers action "bob"

Use instead: `^From: bob@`, or `^From:.*bob@`, which finds it behind a name as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import HEADERS, named
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "missing-blank"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        names = named(found.text)
        if names is None or not names.anchored or found.area == "body":
            continue
        rest = found.text[names.end :]
        if rest[:1].isalnum() and rest[1:2] not in ("*", "?") and all(name.lower() in HEADERS for name in names.names):
            yield Finding(
                found.regexp.text.span,
                f"mail has a blank behind {names.names[0]}:, and this matches only without",
                help=f"{found.text[: names.end]}.*{rest[:1]}…",
            )
