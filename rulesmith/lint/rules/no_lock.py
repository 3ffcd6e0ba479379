"""Two messages at once: the second run finds the lock of the first.

What it does: notes a `stdin` account without `set allow-multiple` or `set lock-wait`.

Why is this bad: callers start one run for each message, some of them several at a time. A run that finds the lock held
stops with exit status 75; nothing is lost, but messages are late. Starting fdm with `-m` cures it as well.

Example:

    account "stdin" stdin

Use instead: `set allow-multiple`, or `-m` on the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import stdin_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "no-lock"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A note at the first such account."""
    settings = compiled.lowered.settings
    if settings["allow-multiple"] or settings["lock-wait"] or settings["lock-file"] == b"":
        return
    for account in stdin_accounts(compiled)[:1]:
        yield Finding(
            account.name.span,
            "unless it is started with -m, only one message at a time gets through",
            help="set allow-multiple",
        )
