"""A command that is not on this machine.

What it does: with `--online`, reports the program of a `pipe`, `exec` or `rewrite` that cannot be found or run.

Why is this bad: every message that gets there fails.

Example:

    action "inbox" pipe "/usr/libexec/dovcot/deliver -d me"

Use instead: the right path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.system import System

NAME = "missing-program"
SEVERITY = Severity.ERROR
NEEDS_PROGRAM = True

_BUILT_IN = frozenset(
    ["set", "cd", "umask", "export", ".", "exit", ":", "test", "[", "true", "false", "echo", "printf", "ulimit"]
)


def check(compiled: Compiled, system: System) -> Iterator[Finding]:
    """A finding at each such command."""
    for _, _, text, line in commands_of(compiled, "pipe", "exec", "rewrite"):
        command = parse_shell(line)
        if command.odd or command.open:
            continue
        for stage in [stage for pipeline, _ in command.pipelines for stage in pipeline]:
            words = stage.arguments
            if not words or any(sign in words[0] for sign in "%$~*") or words[0] in _BUILT_IN:
                continue
            if system.program(words[0]) is False:
                yield Finding(text.span, f"there is no program {words[0]} here")
                break
