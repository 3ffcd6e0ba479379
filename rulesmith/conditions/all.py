"""`all` is true for every message.

Syntax: `all`

An ordinary condition: it may stand beside others and be negated. The last rule of a set that reads standard input
should be `match all`, so that no message ends without a decision.

Example:

    match all action "inbox"
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
    return b"all"


ASKS = False


def holds(args: tuple[()], run: Run) -> bool:
    return True
