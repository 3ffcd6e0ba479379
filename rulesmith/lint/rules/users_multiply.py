"""Users of an action inside an action with users.

What it does: reports a rule with more than one user that runs an action through another action with users of its own.

Why is this bad: the inner action is carried out once for each user of the outer one: two times two users are four
deliveries.

Example:

    action "each" users { "ann" "bob" } maildir "%h/Mail"
    action "all" users { "ann" "bob" } action "each"

Use instead: the users in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.syntax.tree import Action, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "users-multiply"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such action."""
    for statement in flatten(compiled.config.statements):
        if not isinstance(statement, Action | Rule) or len(statement.users) < 2:
            continue
        for item in statement.items or ():
            if item.word != "action":
                continue
            for name in item.args[0]:
                inner = compiled.lowered.actions.get(encode(name.value or ""))
                if inner is not None and inner[1]:
                    yield Finding(
                        name.span,
                        f"this action has users of its own, and is run for each of the {len(statement.users)} here",
                        help="the users in one place",
                    )
