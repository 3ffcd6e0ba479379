"""A command with a quote that the shell cannot close.

What it does: reports commands with an odd `'` or `"`.

Why is this bad: the shell refuses the command, each time, and the message is not delivered.

Example:

    action "list" pipe "deliver -m 'Bob's list'"

Use instead: both quotes, or a backslash before one that is meant as itself.
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

NAME = "unclosed-quote"
SEVERITY = Severity.ERROR


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such command."""
    for _phrase, _, text, line in commands_of(compiled, "pipe", "rewrite", "exec"):
        command = parse_shell(line)
        if command.open and not command.odd:
            yield Finding(text.span, f"the shell finds a {command.open} that nothing closes")
