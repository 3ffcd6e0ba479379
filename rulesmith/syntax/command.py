"""The value of `$( )` and `%( )`: what a shell command writes (fdm.conf(5), MACROS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.syntax.literals import command_output, output_number
from rulesmith.syntax.quoting import Fault
from rulesmith.syntax.world import CommandError, SyntaxWorld

if TYPE_CHECKING:
    from rulesmith.source import Span


def run_command(command: str, place: Span, world: SyntaxWorld) -> tuple[str | int | None, Fault | None]:
    """The value, None where commands are not run or this one failed, and what went wrong.

    `place` is the whole `$(…)` or `%(…)`; the second is a number.
    """
    start, end = place.start, place.end
    if not command:
        message = "there is no command between the parentheses"
        return None, Fault("empty-command", message, start, end, "empty command")
    try:
        output = world.run(command, place.source.name)
    except CommandError as error:
        return None, Fault("command-failed", f"the command failed: {error}", start, end, str(error))
    if output is None:
        return None, None
    value = command_output(output)
    if place.text[0] == "$":
        return value, None
    number, complaint = output_number(value)
    if complaint is None:
        return number, None
    message = f"what the command wrote is not a number: {value[:40]!a}"
    return None, Fault("invalid-number", message, start, end, complaint)
