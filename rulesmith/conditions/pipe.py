"""`pipe` hands the message to a command and looks at what it returns.

Syntax: `pipe "COMMAND" returns (STATUS, "REGEXP")`, with `user "USER"` before `returns` and either of STATUS and
REGEXP left out

As the `exec` condition, but the command gets the message as it is now on its standard input; it need not read it.

Example:

    match pipe "bogofilter -T" returns (, "^S ") action "junk"
"""

from __future__ import annotations

from rulesmith.conditions import command, returns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run
    from rulesmith.program import Pattern, Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    return command.lower(phrase, scope)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return command.explain(b"pipe", args)


ASKS = True


def inquire(args: tuple[Template, Template | None, int | None, Pattern | None], run: Run) -> Asking:
    return (yield from returns.ask(args, run, run.message.raw))
