"""`keep` lets the message stay at its source.

Syntax: `keep`

The last `keep` or `drop` wins. A message on standard input can stay only with the caller: if nothing stored it, the
exit status is 75 and the caller tries again.

Example:

    match "^Subject:.*hold" in headers action keep
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run, User
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[()]:
    """The arguments in the shape of program.py."""
    return ()


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"keep"


def perform(args: tuple[()], run: Run, user: User) -> Asking:
    run.verdict.decision = "keep"
    run.verdict.dropped = False
    return
    yield  # asks for nothing, but is driven like the others
