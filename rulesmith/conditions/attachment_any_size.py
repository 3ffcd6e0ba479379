"""`attachment any-size` compares the size of each attachment, in octets.

Syntax: `attachment any-size < SIZE` or `> SIZE`

True if any part is that small or large. The multipart container has size 0, so `<` is true for every multipart message;
a message without MIME parts has none, and both forms are false.

Example:

    match attachment any-size > 1M action "large"
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
    return b"attachment any-size %s %s" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, int], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    return any(compare(size, args[0], args[1]) for _, _, size, _ in run.message.parts())
