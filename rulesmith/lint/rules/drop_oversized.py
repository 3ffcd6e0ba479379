"""`set delete-oversized` with an account that reads standard input.

What it does: reports the setting when there is a `stdin` account.

Why is this bad: a message larger than `maximum-size` is thrown away, and the caller is told that all is well.

Example:

    set delete-oversized
    account "stdin" stdin

Use instead: a larger `maximum-size` (at most 1G), and a rule that drops what should go: `match size > 100M action
drop`.
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

NAME = "drop-oversized"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the setting."""
    if not stdin_accounts(compiled):
        return
    size = compiled.lowered.settings["maximum-size"]
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Set) and statement.option == "delete-oversized":
            yield Finding(statement.span, f"messages of more than {size} octets on standard input are thrown away")
