"""`attachment total-size` compares the sizes of all attachments together, in octets.

Syntax: `attachment total-size < SIZE` or `> SIZE`

Containers count 0. A message without MIME parts has total size 0, so `<` is true for it.

Example:

    match attachment total-size > 5M action "large"
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
    return b"attachment total-size %s %s" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, int], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    return compare(sum(size for _, _, size, container in run.message.parts() if not container), args[0], args[1])
