"""A regexp that no message can match.

What it does: reports a regexp that is found in no text of its area: text behind a `$` or before a `^`; a header line
that begins with no name and colon; a line end with a blank behind it `in headers`, where folded lines are joined; a
carriage return before the `$`. It is decided on the regexp.

Why is this bad: the rule never takes what it was written for.

Example:

    match "^Subject foo" in headers action "foo"
    match "one,\\n\\ttwo" in headers action "both"

Use instead: the header line as it is when it is unfolded: name, colon, blank, value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.language import needs_return, why_never
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "regexp-never-matches"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

# What can make a regexp impossible: an anchor that is not at an end, a line end, or a line that does not begin with
# a name and a colon. All others are not looked at.
_PLAIN = re.compile(r"\^\(?[A-Za-z|-]+\)?:[^\^$\r\n\\\[(]*\$?")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        if _PLAIN.fullmatch(found.text) or found.text.startswith("^From "):
            continue
        why = why_never(found.pattern, found.area)
        if why is not None:
            yield Finding(found.regexp.text.span, f"this can never match: {why}")
        elif ("\r" in found.text or "\\r" in found.text) and needs_return(found.pattern):
            yield Finding(
                found.regexp.text.span,
                "this matches only lines that end with a carriage return, and most programs deliver mail without",
                help="without \\r",
            )
