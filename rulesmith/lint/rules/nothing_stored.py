"""A rule ends the evaluation, but its actions store nothing.

What it does: reports rules without `continue` that tag, rewrite, change headers or run commands, when a message can
reach them with nothing stored and nothing stores, keeps or drops it there.

Why is this bad: the first rule that matches is the last one, unless it says `continue`. The message was not delivered.
On standard input the exit status is 75 and the caller tries again, for ever (with the real fdm the message is lost); of
any other account the message is removed, which is what happens to all that a rule without `keep` has taken.

Example:

    match "^X-Spam: yes" in headers action tag "spam"
    match all action "inbox"

Use instead: `continue` at the end of the rule, or a delivery in its action.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import all_flows, place_of, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "nothing-stored"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such rule."""
    on_stdin = {rule[0] for rule in stopping(compiled, None)}
    for rule in stopping(compiled, None, all_flows(compiled)):
        removed = "" if rule[0] in on_stdin else ": it is removed from its source and lost"
        yield Finding(
            place_of(compiled, rule),
            f"this rule is the last for a message that matches, and its actions do not store it{removed}",
            help="continue, or an action that stores the message",
        )
