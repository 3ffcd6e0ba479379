"""A condition asks for the verdict of a spam scan, and nothing scans.

What it does: reports `spam score`, `spam action` and `spam symbol` where neither the configuration nor
`/etc/rulesmith.conf` has `set scan`.

Why is this bad: without a verdict these conditions are false, so that no message is ever taken for spam (and `not spam
score > 5` is true for all of them).

Example:

    match spam score > 7.5 action "junk"

Use instead: `set scan "http://127.0.0.1:11333"` as well; if the caller turns it on (`fdm --scan URL`), a comment `#
rulesmith: allow(spam-without-scan)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "spam-without-scan"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    if compiled.lowered.settings["scan"] is not None:
        return
    for phrase, is_condition in phrases(compiled):
        if is_condition and phrase.word.startswith("spam-"):
            yield Finding(
                phrase.span,
                "nothing scans the messages, so there is no verdict and this is never true",
                help='set scan "http://127.0.0.1:11333"',
            )
