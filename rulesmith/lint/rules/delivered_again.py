"""A delivered message stays at its source and comes again.

What it does: reports rules that deliver with `continue` when a message of a mailbox or server can then go past all
other rules, unless `unmatched-mail` says what is meant.

Why is this bad: at the end of the rules the message is kept where it came from, whatever was done with it. The next run
fetches and delivers it again.

Example:

    account "imap" imaps server "imap.example.org"
    match all action maildir "~/Mail" continue

Use instead: the last rule without `continue`, or `set unmatched-mail drop` (or `keep`, if it is meant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, all_flows, jobs
from rulesmith.lint.ladder import ladder, mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "delivered-again"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the last such rule."""
    if compiled.lowered.settings["unmatched-mail"] is not None:
        return
    accounts = compiled.lowered.accounts
    ways = [
        flow for flow in all_flows(compiled) if accounts[flow.account][3] != "stdin" and not accounts[flow.account][5]
    ]
    if not any(state.stored and state.decision is None for flow in ways for state in flow.falls):
        return
    reached = {number for flow in ways for number in flow.reached}
    for rung in reversed(ladder(compiled)):
        items = jobs(compiled, rung.lowered) or []
        if rung.lowered[0] in reached and rung.statement.continues and any(word in STORING for word, _, _ in items):
            yield Finding(
                mark(rung),
                "a message that is delivered here can pass all rules: it stays at its source and comes again",
                help="the last rule without continue, or set unmatched-mail",
            )
            return
