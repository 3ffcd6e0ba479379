"""`exec` runs a command, without the message, and looks at what it returns.

Syntax: `exec "COMMAND" returns (STATUS, "REGEXP")`, with `user "USER"` before `returns` and either of STATUS and
REGEXP left out: `returns (0, )`, `returns (, "yes")`

The command is run by /bin/sh with /dev/null as its input, as the user given, else as `command-user`, else as the
invoking user. It is true if the exit status is STATUS and a line of the output matches REGEXP; the command is stopped
at the first such line. Submatches become the tags `command0` to `command9`. Tags and a leading `~` of COMMAND are
replaced for each message: put values of the mail in single quotes.

Example:

    match exec "test -e ~/.vacation" returns (0, ) action "vacation"
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
    return command.explain(b"exec", args)


ASKS = True


def inquire(args: tuple[Template, Template | None, int | None, Pattern | None], run: Run) -> Asking:
    return (yield from returns.ask(args, run, None))
