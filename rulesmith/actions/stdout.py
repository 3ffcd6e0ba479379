"""`stdout` writes the message to the standard output of fdm.

Syntax: `stdout`

The message as it is now, octet for octet, without a separator.

Example:

    match all action stdout
"""

from __future__ import annotations

from rulesmith.effects import DELIVER

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
    return b"stdout"


def perform(args: tuple[()], run: Run, user: User) -> Asking:
    yield (DELIVER, "stdout", (), user, run.message.raw)
    run.verdict.stored += 1
