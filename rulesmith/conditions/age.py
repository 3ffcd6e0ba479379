"""`age` compares the time since the Date field of the message.

Syntax: `age < TIME` or `age > TIME`; units `seconds`, `minutes`, `hours`, `days`, `weeks`, `months` (28 days) and
`years` (336 days)

The Date field is read as RFC 5322 says (section 3.3). A date in the future has age 0. Both forms are false for a
message without a valid date (`age invalid`).

Example:

    match age > 3 months action "archive"
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
    if limit.value == 0:
        scope.error("empty-value", limit, "an age of 0 compares with nothing", fdm="invalid time")
    return compare, scope.number(limit)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    compare, limit = args
    return b"age %s %s seconds" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, int], run: Run) -> bool | None:
    message = run.message
    if message.unknown is not None:
        return None
    then = message.date()
    if then is None:
        return False
    age = max(0, message.now - then)
    if run.trace:
        run.trace("age", age, message.now, then)
    return compare(age, args[0], args[1])
