"""`size` compares the length of the whole message, in octets.

Syntax: `size < SIZE` or `size > SIZE`; units `B`, `K`, `M`, `G`, 1024-based

The size is that of the message as it is now, with fdm's Received line and what earlier rules changed. A message
exactly as long as the limit is neither smaller nor larger.

Example:

    match size > 10M action "large"
"""

from __future__ import annotations

from rulesmith.conditions.comparison import compare
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    compare, limit = phrase.args
    return compare, scope.number(limit)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    compare, limit = args
    return b"size %s %s" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, int], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    return compare(len(run.message.raw), args[0], args[1])
