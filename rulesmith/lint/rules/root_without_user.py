"""Run by root, and nothing says which user delivers.

What it does: notes, when root asks, a configuration without `set default-user`.

Why is this bad: deliveries and commands would run as root. Such a run is refused, unless `-u` names a user.

Example:

    account "stdin" stdin
    match all action maildir "/home/user/Maildir"

Use instead: `set default-user "user"`, and `set command-user` if conditions run commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.syntax.tree import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "root-without-user"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A note at the first account."""
    if compiled.me[1] != 0 or compiled.lowered.settings["default-user"] is not None:
        return
    for statement, _ in compiled.lowered.added:
        if isinstance(statement, Account):
            yield Finding(
                statement.name.span,
                "run by root, this needs to know who delivers",
                help='set default-user "…", or -u',
            )
            return
