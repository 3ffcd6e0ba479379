"""A message on standard input can come to the end of the rules with nothing done.

What it does: follows every way that a message of a `stdin` account can take, and reports when one of them passes all
rules without storing the message.

Why is this bad: "keep" at the end of the rules means "leave it at the source", and a message on standard input has no
source to stay in. The exit status is 75 and the caller tries again, for ever; with the real fdm the message is lost.

Example:

    account "stdin" stdin
    match "^List-Id:" in headers action "list"

Use instead: a last rule for everything else, `match all action "inbox"`, or `set unmatched-mail drop` if it should go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import flows, statement_of
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "no-final-rule"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the last rule."""
    if compiled.lowered.settings["unmatched-mail"] == "drop" or not compiled.lowered.rules:
        return
    for flow in flows(compiled):
        if any(not state.stored for state in flow.falls):
            span = statement_of(compiled, compiled.lowered.rules[-1]).span
            account = flow.account.decode("utf-8", "backslashreplace")
            yield Finding(
                Span(span.source, span.start, span.start + len("match")),
                f'a message from account "{account}" can pass this rule, the last one, with nothing stored',
                help='match all action "…" as the last rule',
            )
            return
