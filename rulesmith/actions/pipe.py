"""`pipe` hands the message to a command.

Syntax: `pipe "COMMAND"`

The command is run by /bin/sh as the delivery user. The command gets the message as it is now on its standard input,
without a separator line; it need not read it. Tags and a leading `~` are replaced for each message: put values of the
mail in single quotes. A status other than 0 and death by a signal are failures. What the command writes to standard
error is logged.

Example:

    action "inbox" pipe "/usr/libexec/dovecot/deliver -d user@example.com"
"""

from __future__ import annotations

from rulesmith.actions import shell
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run, User
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    (command,) = phrase.args
    return (scope.run_path(command, "invalid command"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'pipe "%s"' % shown(args[0])


def perform(args: tuple[Template], run: Run, user: User) -> Asking:
    yield from shell.run("pipe", args[0], run, user, run.message.raw)
    run.verdict.stored += 1
