"""`age invalid` is true for a message whose Date field is missing or cannot be read.

Syntax: `age invalid`

For such a message `age < T` and `age > T` are both false, and so `not age < T` is true; add `and not age invalid`
where that is not meant.

Example:

    match age invalid action "undated"
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
    return b"age invalid"


ASKS = False


def holds(args: tuple[()], run: Run) -> bool | None:
    return None if run.message.unknown is not None else run.message.date() is None
