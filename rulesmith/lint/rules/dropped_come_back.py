"""An account that reads standard input keeps all messages, also those that rules drop.

What it does: reports `keep` on a `stdin` account whose messages can be dropped with nothing stored.

Why is this bad: `keep` overrides `drop`. The message stays with the caller (exit status 75), who brings it again.

Example:

    account "stdin" stdin keep
    match "^X-Spam: yes" in headers action drop

Use instead: the account without `keep`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import stdin_accounts, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "dropped-come-back"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such account."""
    dropping = compiled.lowered.settings["unmatched-mail"] == "drop" or stopping(compiled, "drop")
    for account in stdin_accounts(compiled):
        if account.keep and dropping:
            yield Finding(account.name.span, "this account keeps what rules drop: the caller will bring it again")
