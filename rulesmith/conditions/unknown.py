"""A condition whose values come from a command that was not run: only dry runs meet it.

It is no word of the language; dry.py puts it in the place of what cannot be known.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.evaluate import Run

ASKS = False


def holds(args: tuple[bytes, ...], run: Run) -> None:
    return None


def explain(args: tuple[bytes, ...]) -> bytes:
    """What the condition was, in the words of `fdm -nvv`."""
    return args[0]
