"""What `exec`, `pipe` and `rewrite` share: the command line of an action."""

from __future__ import annotations

from rulesmith.effects import RUN, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from rulesmith.evaluate import Run, User
    from rulesmith.program import Template

_EVENTS = {"exec": "executing", "pipe": "piping", "rewrite": "rewriting"}


def run(
    word: str, template: Template, run: Run, user: User, stdin: bytes | None
) -> Generator[tuple[Any, ...], Any, tuple[bytes, bytes | None]]:
    """Run the command as the delivery user; the command, and its output (None where a dry run has none).

    Raises Failure when the command cannot be run or does not return 0.
    """
    command = yield from run.home_path(template, user[3], breaks=True)
    if not command:
        raise Failure("empty command")
    if run.trace:
        run.trace(_EVENTS[word], command)
    answer = yield (RUN, word, command, stdin, user, None)
    if answer is None:
        return command, None
    status, output = answer
    if status:
        raise Failure(command + b": command returned %d" % status)
    return command, output
