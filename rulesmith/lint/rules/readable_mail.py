"""Mail that everybody may read.

What it does: reports `set file-umask` that lets others read or write what is delivered.

Why is this bad: every user of the machine can read the mail.

Example:

    set file-umask 022

Use instead: `077`, which holds without the option; `007` for a group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.syntax.tree import Number, Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "readable-mail"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the option."""
    mask = compiled.lowered.settings["file-umask"]
    if mask & 0o006 == 0o006:
        return
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Set) and statement.option == "file-umask" and isinstance(statement.args[0], Number):
            what = "read" if mask & 2 else "write"
            yield Finding(
                statement.span,
                f"others may {what} the mail that is delivered",
                help="set file-umask 077, or 007 for a group",
            )
            return
