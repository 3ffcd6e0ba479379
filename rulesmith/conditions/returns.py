"""What `exec` and `pipe` conditions share: run a command, look at its status and its lines."""

from __future__ import annotations

from rulesmith.effects import RUN, Failure
from rulesmith.regexp.search import search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from rulesmith.evaluate import Run
    from rulesmith.program import Pattern, Template


def ask(
    args: tuple[Template, Template | None, int | None, Pattern | None], run: Run, stdin: bytes | None
) -> Generator[tuple[Any, ...], Any, bool | None]:
    """Whether the command returns what it should; None where a dry run does not run it.

    Where only a line is asked for, one that matches stops the command and its status means nothing. Submatches of
    the first such line become the tags command0 to command9.
    """
    command_template, user_template, status, pattern = args
    user = yield from run.command_user(user_template)
    run.become(user)
    try:
        command = yield from run.home_path(command_template, user[3], breaks=True)
        if not command:
            raise Failure("empty command")
        if run.trace:
            run.trace("command-started", command, -1 if status is None else status, pattern[0] if pattern else b"none")
        found: list[tuple[bytes, ...]] = []

        def until(line: bytes) -> bool:
            if run.trace:
                run.trace("command-output", command, line)
            assert pattern is not None
            groups = None if found else search(pattern, line, line.lower())
            if groups is None:
                return False
            found.append(groups)
            return status is None

        answer = yield (RUN, "condition", command, stdin, user, until if pattern else None)
    finally:
        run.resign()
    if answer is None:
        return None
    if run.trace:
        run.trace("command-returned", command, answer[0] or 0, bool(found))
    if found:
        for index, value in enumerate(found[0]):
            run.message.tags[b"command%d" % index] = value
    if pattern is None:
        return bool(answer[0] == status)
    return bool(found) and (status is None or answer[0] == status)
