"""`exec` runs a command, without the message.

Syntax: `exec "COMMAND"`

The command is run by /bin/sh as the delivery user. The command gets /dev/null as its standard input.
Tags and a leading `~` are replaced for each message: put values of the mail in single quotes. A status other than 0 and
death by a signal are failures. What the command writes to standard error is logged.

Example:

    action "bell" exec "notify-send mail"
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
    return b'exec "%s"' % shown(args[0])


def perform(args: tuple[Template], run: Run, user: User) -> Asking:
    yield from shell.run("exec", args[0], run, user, None)
