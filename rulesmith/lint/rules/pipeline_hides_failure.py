"""A pipeline whose first commands can fail unseen.

What it does: reports `|` in the command of `pipe` and `rewrite`, without `pipefail`, where a command before the last
one is more than an `echo`.

Why is this bad: the shell tells only how the last command ended. If the first one fails, the last gets half a message
or none and may well succeed: the message counts as delivered.

Example:

    action "inbox" pipe "gpg --encrypt -r me | deliver -d me"

Use instead: `set -o pipefail; …` (dash from 0.5.13, bash, and the shell of Alpine know it), or two steps: `rewrite`,
then `pipe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.programs import cannot_fail
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "pipeline-hides-failure"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such command."""
    for _phrase, is_condition, text, line in commands_of(compiled, "pipe", "rewrite"):
        command = parse_shell(line)
        if is_condition or "pipefail" in line or command.odd or command.open:
            continue
        for stages, _ in command.pipelines:
            risky = [stage for stage in stages[:-1] if not cannot_fail(stage)]
            if risky:
                yield Finding(
                    text.span,
                    f"if {risky[0].program or 'the first command'} fails, nobody sees it: "
                    f"only how {stages[-1].program or 'the last command'} ended is told",
                    help="set -o pipefail; …",
                )
                break
