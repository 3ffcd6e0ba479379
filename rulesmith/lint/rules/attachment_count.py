"""`attachment count` counts more than attachments.

What it does: reports comparisons of `attachment count` with 0, 1 or 2 that are never or nearly always true.

Why is this bad: all parts of a message count, the containers and the text as well. A message with one attachment has 3,
a plain text with HTML beside it has 3, a plain message 0; none has 1.

Example:

    match attachment count == 1 action "files"

Use instead: `attachment any-name "*.*"` or `any-type` for what is meant; larger numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "attachment-count"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    for phrase, is_condition in phrases(compiled):
        if not is_condition or phrase.word != "attachment-count":
            continue
        comparison, number = phrase.args
        why = {
            ("==", 1): "no message has one part: one attachment makes 3, the text and its container count too",
            (">", 0): "this is true for each message with HTML beside its text: all parts count",
            (">", 1): "this is true for each message with HTML beside its text: all parts count",
            ("!=", 0): "this is true for each message with HTML beside its text: all parts count",
            ("==", 2): "a message with one attachment has 3 parts: its text and the container count too",
            ("<", 2): "a message with one attachment has 3 parts, and a plain one none",
        }.get((comparison, number.value))
        if why is not None:
            yield Finding(phrase.span, why, help='attachment any-name "*.pdf", or a larger number')
