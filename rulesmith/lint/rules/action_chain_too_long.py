"""More `action` items in one rule than fdm carries out.

What it does: reports a rule that runs more lists of actions, one through the other or one after the other, than fdm
counts to.

Why is this bad: fdm stops with `too many chained actions` and the message fails, although nothing is nested deeply.

Example:

    action "all" { action "a" action "b" action "c" action "d" action "e" }

Use instead: the items themselves, or `match … action { "a" "b" "c" }`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.limits import CHAINED_ACTIONS
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import place_of
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung

NAME = "action-chain-too-long"
SEVERITY = Severity.ERROR
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such rule."""
    for rung in ladder(compiled):
        if rung.statement.block is None and _lists(compiled, rung) > CHAINED_ACTIONS:
            yield Finding(
                place_of(compiled, rung.lowered),
                f"more than {CHAINED_ACTIONS} lists of actions are run for one message, and fdm refuses that",
                help="the items themselves in one action",
            )


def _lists(compiled: Compiled, rung: Rung) -> int:
    """How many lists of names are expanded; as many as matter."""
    names, items = rung.lowered[4], rung.lowered[5]
    waiting: list[tuple[int, tuple[Any, ...]]] = [] if names is None else [(1, names)]
    waiting += [(1, args[0]) for word, args, _ in items or () if word == "action"]
    count = 0
    while waiting and count <= CHAINED_ACTIONS:
        _, listed = waiting.pop()
        count += 1
        for name in listed:
            action = compiled.lowered.actions.get(name) if isinstance(name, bytes) else None
            waiting += [(1, args[0]) for word, args, _ in (action[2] if action else ()) if word == "action"]
    return count
