"""`matched` is true once a rule has matched this message.

Syntax: `matched`

A rule counts as matched when its actions run, also with `continue`; going into a nested rule does not count, but an
empty nested rule does. Once set it stays.

Example:

    match "^List-Id:" in headers action "list" continue
    match matched action "copy"
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
    return b"matched"


ASKS = False


def holds(args: tuple[()], run: Run) -> bool:
    return run.matched
