"""`spam score` compares the score that the spam scan gave the message.

Syntax: `spam score < NUMBER` or `spam score > NUMBER`; the number may have a sign and decimals (`-2`, `7.5`)

Needs `set scan`. Without a verdict (nothing scans, or the scan failed and `scan-failure` let the message pass) there is
no score and both forms are false, and so `not spam score > 5` is true: ask for what is wanted, `spam score < 5`.

Example:

    match spam score > 7.5 action "junk"
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
    return compare, scope.score(limit)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    compare, limit = args
    return b"spam score %s %s" % (compare.encode(), shown(limit))


ASKS = False


def holds(args: tuple[str, float], run: Run) -> bool:
    verdict = run.message.verdict
    return verdict is not None and compare(verdict["score"], args[0], args[1])
