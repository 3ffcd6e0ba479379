"""An option is set twice.

What it does: reports the second `set` of an option that takes a value, and names the line of the first.

Why is this bad: of `default-user` and `command-user` the first one counts, of all others the last one. Whoever changes
the other line changes nothing.

Example:

    set maximum-size 10M
    set maximum-size 128M

Use instead: one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.syntax.tree import Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "option-set-twice"
SEVERITY = Severity.WARNING

_FIRST_WINS = ("default-user", "command-user")
_SEVERAL = ("lookup-order", "trusted-hops", "trusted-networks")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each but the first."""
    first: dict[str, Set] = {}
    for statement in flatten(compiled.config.statements):
        if not isinstance(statement, Set) or not statement.args or statement.option in _SEVERAL:
            continue
        before = first.setdefault(statement.option, statement)
        if before is not statement and (before.args != statement.args):
            which = "the first" if statement.option in _FIRST_WINS else "this one"
            yield Finding(
                statement.span,
                f"{statement.option} is set in line {before.span.line} as well, and {which} counts",
                also=(Label(before.span, "the other one"),),
                help="one of them",
            )
