"""`set ignore-errors` with an account that reads standard input.

What it does: reports the setting when there is a `stdin` account.

Why is this bad: after a failed delivery the message is "kept", which standard input cannot do. With the real fdm each
failed delivery is a lost message and the exit status 0; rulesmith exits with 75, so that the caller tries again, and
the setting is of no use.

Example:

    set ignore-errors
    account "stdin" stdin

Use instead: a configuration of its own for standard input, without the setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import stdin_accounts
from rulesmith.syntax.tree import Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "ignored-errors"
SEVERITY = Severity.ERROR
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the setting."""
    if not stdin_accounts(compiled):
        return
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Set) and statement.option == "ignore-errors":
            yield Finding(statement.span, "with fdm, each delivery that fails is a message of standard input lost")
