"""`attachment count` compares the number of MIME parts.

Syntax: `attachment count < N`; also `>`, `==` and `!=`

All parts count, the multipart containers and the text parts as well (as in fdm): a plain message has 0, a text with
one attachment 3.

Example:

    match attachment count > 10 action "odd"
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
    return b"attachment count %s %s" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, int], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    parts = run.message.parts()
    if run.trace and not parts:
        run.trace("no-attachments")
    return compare(len(parts), args[0], args[1])
