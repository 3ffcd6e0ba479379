"""`unmatched` is true while no rule has matched this message.

Syntax: `unmatched`

The opposite of `matched`, at the moment it is tried.

Example:

    match unmatched action "inbox"
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[()]:
    """The arguments in the shape of program.py."""
    return ()


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"unmatched"


ASKS = False


def holds(args: tuple[()], run: Run) -> bool:
    return not run.matched
