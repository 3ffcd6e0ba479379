"""A mailbox or user that the mail server does not know.

What it does: with `--online`, asks `doveadm` for the user (`-d`) and the folder (`-m`) of each `deliver` or
`dovecot-lda` command.

Why is this bad: delivery fails for an unknown user, each time; mail for an unknown folder goes to another one.

Example:

    action "inbox" pipe "/usr/libexec/dovecot/deliver -d nobdy@example.org"

Use instead: the user's name, as `doveadm user '*'` shows it.
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

NAME = "missing-mailbox"
SEVERITY = Severity.ERROR
NEEDS_PROGRAM = True


def check(compiled: Compiled, system: System) -> Iterator[Finding]:
    """A finding at each such command."""
    for _, is_condition, text, line in commands_of(compiled, "pipe"):
        command = parse_shell(line)
        if is_condition or command.odd or command.open:
            continue
        for stage in [stage for pipeline, _ in command.pipelines for stage in pipeline]:
            if stage.program not in ("deliver", "dovecot-lda"):
                continue
            options = _options(stage.arguments[1:])
            user, box = options.get("-d"), options.get("-m")
            if not user or "%" in user or "$" in user:
                continue
            if system.mail_user(user) is False:
                yield Finding(text.span, f"the mail server knows no user {user}")
            elif box and "%" not in box and "$" not in box and system.mailbox(user, box) is False:
                yield Finding(
                    text.span,
                    f"{user} has no mailbox {box}",
                    help=f"doveadm mailbox create -u {user} {box}",
                    severity=Severity.WARNING,
                )


def _options(words: list[str]) -> dict[str, str]:
    found = {}
    for at, word in enumerate(words):
        if word in ("-d", "-m") and at + 1 < len(words):
            found[word] = words[at + 1]
        elif word[:2] in ("-d", "-m") and len(word) > 2:
            found[word[:2]] = word[2:]
    return found
