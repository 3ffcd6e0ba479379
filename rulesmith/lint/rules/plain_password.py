"""A password in the configuration.

What it does: notes the first password that is written in plain text.

Why is this bad: whoever sees the file has it: in a backup, in a repository, over a shoulder.

Example:

    account "a" imaps server "imap.example.org" user "me" pass "hunter2"

Use instead: `pass $(pass show mail/a)`, or no password, which is then taken from `~/.netrc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "plain-password"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """At most one finding."""
    for text in passwords(compiled):
        yield Finding(
            text.span, "the password is written here in plain text", help="$(a command that prints it), or ~/.netrc"
        )
        return
