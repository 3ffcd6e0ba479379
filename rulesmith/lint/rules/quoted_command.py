"""A command between quotes, which is not run.

What it does: reports a string that is `"$(…)"` as a whole where fdm runs no shell: in passwords, users, servers, names
and macros.

Why is this bad: fdm replaces `$(…)` by the output of the command only outside of quotes. Inside, it is the text itself:
the password is `$(pass show mail)`, and the login fails.

Example:

    account "a" imaps server "imap.example.org" user "me" pass "$(pass show mail)"

Use instead: `pass $(pass show mail)`, without quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.percents import strings
from rulesmith.lint.strings import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "quoted-command"
SEVERITY = Severity.WARNING

_COMMAND = re.compile(r"""(["'])([$%]\([^()"'\\$]*\))\1""")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such string."""
    run = [text for _, _, text, _ in commands_of(compiled, "exec", "pipe", "rewrite")]
    inside = {id(piece) for text in run for piece in text.pieces}
    for piece in strings(compiled):
        whole = _COMMAND.fullmatch(piece.written)
        if whole is not None and id(piece) not in inside:
            yield Finding(
                piece.span,
                "between quotes this is plain text, and the command is not run",
                help=f"{whole[2]} without quotes",
            )
