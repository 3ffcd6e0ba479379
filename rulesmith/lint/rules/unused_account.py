"""An account whose mail no rule takes.

What it does: reports an enabled account of which no message can match any rule, because all rules ask for other
accounts.

Why is this bad: its mail is fetched, kept where it is, and fetched again at every run.

Example:

    account "work" imaps server "imap.example.org"
    account "home" maildir "~/Mail"
    match account "home" action "inbox"

Use instead: a rule for the account, or `disabled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import all_flows
from rulesmith.syntax.tree import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unused-account"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the name of each such account."""
    if not compiled.lowered.rules or compiled.lowered.settings["unmatched-mail"] is not None:
        return
    ways = {flow.account: flow for flow in all_flows(compiled)}
    for statement, lowered in compiled.lowered.added:
        if not isinstance(statement, Account) or statement.disabled or statement.fetch.word == "stdin":
            continue
        flow = ways[lowered[0]]
        if all(values == {False} for values in flow.values.values()):
            yield Finding(
                statement.name.span, "no rule can take a message of this account", help="a rule for it, or disabled"
            )
