"""Two accounts read standard input.

What it does: reports the second enabled `stdin` account.

Why is this bad: there is one message on standard input, and both want it. The loser finds nothing and the run fails,
although the message was delivered. Such a run is refused unless `-a` selects one account.

Example:

    account "first" stdin
    account "second" stdin

Use instead: `disabled` on those that only `-a` shall select.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import stdin_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "two-stdin-accounts"
SEVERITY = Severity.ERROR
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each but the first."""
    enabled = [account for account in stdin_accounts(compiled) if not account.disabled]
    for account in enabled[1:]:
        yield Finding(
            account.name.span,
            "another account reads standard input already, and there is only one message",
            also=(Label(enabled[0].name.span, "this one"),),
            help="disabled, and -a to select it",
        )
