"""An empty regexp.

What it does: reports `""` as a regexp, also where a macro or a tag makes it empty.

Why is this bad: the empty regexp is true only for an empty text. No message with a header is that.

Example:

    match "" action "inbox"

Use instead: `match all`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "empty-regexp"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        if not found.source:
            yield Finding(
                found.regexp.text.span, "an empty regexp matches only an empty text", help="match all, for everything"
            )
