"""A rule keeps a message of standard input and nothing stores it.

What it does: reports rules that end with `keep` for a message that no rule has stored before.

Why is this bad: `keep` leaves a message at its source, and standard input is none. The exit status is 75 and the caller
tries again, for ever; with the real fdm the message is lost with exit status 0.

Example:

    account "stdin" stdin
    match "^Subject:.*later" in headers action keep

Use instead: an action that stores the message, `maildir`, `mbox` or `pipe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import place_of, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "keep-on-stdin"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such rule."""
    for rule in stopping(compiled, "keep"):
        yield Finding(
            place_of(compiled, rule),
            "keep stores nothing, and a message on standard input has no other place to stay",
            help="an action that stores it, such as maildir or pipe",
        )
