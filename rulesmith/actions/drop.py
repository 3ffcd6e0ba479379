"""`drop` lets the message be deleted at its source.

Syntax: `drop`

It does not end anything: items after it still run, and the last `keep` or `drop` wins. For a message on standard
input it is the rule's decision to throw the message away: the exit status is 0.

Example:

    match "^X-Spam: yes" in headers action drop
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
    return b"drop"


def perform(args: tuple[()], run: Run, user: User) -> Asking:
    run.verdict.decision = "drop"
    run.verdict.dropped = True
    return
    yield  # asks for nothing, but is driven like the others
