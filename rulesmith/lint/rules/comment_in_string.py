"""A `#` at the start of a line inside a string.

What it does: reports a line of a string over several lines that begins with `#`.

Why is this bad: inside quotes there are no comments. The text is part of the regexp, the path or the command.

Example:

    match "^From: a
    # old: ^From: b
    " in headers action "a"

Use instead: the comment outside of the string.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import pieces
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "comment-in-string"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such line."""
    for statement in flatten(compiled.config.statements):
        for piece in pieces(statement):
            if piece.kind not in ("double", "single"):
                continue
            for line in re.finditer(r"\n[ \t]*(#[^\n]*)", piece.written):
                span = Span(piece.span.source, piece.span.start + line.start(1), piece.span.start + line.end(1))
                yield Finding(
                    span, "this is text of the string, not a comment", help="the comment outside of the quotes"
                )
