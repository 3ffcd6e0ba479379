"""`attachment any-size <` and `total-size <` are true for nearly all mail.

What it does: reports these comparisons.

Why is this bad: a container has no size of its own, so that `any-size < N` is true for every message with more than one
part; and `total-size < N` is true for each message without attachments.

Example:

    match attachment any-size < 10K action "small"

Use instead: `not attachment any-size > 10K`, together with what says that there is an attachment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "attachment-size-below"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    for phrase, is_condition in phrases(compiled):
        if is_condition and phrase.word in ("attachment-any-size", "attachment-total-size") and phrase.args[0] == "<":
            which = "with more than one part" if phrase.word == "attachment-any-size" else "without attachments"
            yield Finding(phrase.span, f"this is true for every message {which}", help="not … >")
