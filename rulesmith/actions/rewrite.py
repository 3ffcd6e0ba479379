"""`rewrite` replaces the message by the output of a command.

Syntax: `rewrite "COMMAND"`

The command is run by /bin/sh as the delivery user. The command gets the message on its standard input; what it writes
is the message that later items and rules see. Tags and a leading `~` are replaced for each message: put values of the
mail in single quotes. A status other than 0 and death by a signal are failures. What the command writes to standard
error is logged.

Example:

    match all action rewrite "spamc" continue
"""

from __future__ import annotations

from rulesmith.actions import shell
from rulesmith.effects import Failure
from rulesmith.mail import header
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
    return b'rewrite "%s"' % shown(args[0])


def perform(args: tuple[Template], run: Run, user: User) -> Asking:
    message = run.message
    command, output = yield from shell.run("rewrite", args[0], run, user, message.raw)
    if output is None:
        message.unknown = command
        return
    if not output:
        raise Failure(command + b": empty mail returned")
    if len(output) > run.settings["maximum-size"]:
        raise Failure(command + b": oversize mail returned")
    if output[-1:] != b"\n":
        output += b"\n"
    raw = header.strip_from_line(output)
    message.replace(raw, header.boundary(raw))
    if run.trace:
        run.trace("rewritten", len(raw))
