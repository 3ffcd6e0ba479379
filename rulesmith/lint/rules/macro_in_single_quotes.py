"""A macro in single quotes, which stays as it is written.

What it does: reports `${name}` in a single-quoted string where a macro of that name is defined; commands are left out,
because the shell may have a variable of that name.

Why is this bad: in single quotes nothing is replaced. The folder is called `${mail}`.

Example:

    $mail = "%h/Mail"
    action "inbox" maildir '${mail}/inbox'

Use instead: double quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.percents import strings
from rulesmith.lint.strings import commands_of
from rulesmith.source import Span
from rulesmith.syntax.tree import MacroDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "macro-in-single-quotes"
SEVERITY = Severity.WARNING

_USE = re.compile(r"([$%])\{([A-Za-z0-9][A-Za-z0-9_-]*)\}")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such use."""
    defined = {
        statement.name for statement in flatten(compiled.config.statements) if isinstance(statement, MacroDefinition)
    }
    run = {id(piece) for _, _, text, _ in commands_of(compiled, "exec", "pipe", "rewrite") for piece in text.pieces}
    for piece in strings(compiled):
        if piece.kind != "single" or id(piece) in run:
            continue
        for use in _USE.finditer(piece.written):
            if use[1] + use[2] in defined:
                start = piece.span.start + use.start()
                yield Finding(
                    Span(piece.span.source, start, start + len(use[0])),
                    "in single quotes a macro is not replaced",
                    help="double quotes",
                )
