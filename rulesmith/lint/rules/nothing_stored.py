"""A rule ends the evaluation, but its actions store nothing.

What it does: reports rules without `continue` that tag, rewrite, change headers or run commands, when a message of
standard input can reach them with nothing stored and nothing stores or drops it there.

Why is this bad: the first rule that matches is the last one, unless it says `continue`. The message was not delivered;
the exit status is 75 and the caller tries again, for ever; with the real fdm the message is lost.

Example:

    match "^X-Spam: yes" in headers action tag "spam"
    match all action "inbox"

Use instead: `continue` at the end of the rule, or a delivery in its action.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import place_of, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "nothing-stored"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such rule."""
    for rule in stopping(compiled, None):
        yield Finding(
            place_of(compiled, rule),
            "this rule is the last for a message that matches, and its actions do not store it",
            help="continue, or an action that stores the message",
        )
