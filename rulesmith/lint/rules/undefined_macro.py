"""A macro in a string that is not defined.

What it does: reports `${name}` and `%{name}` in double-quoted strings when nothing defines the macro above, neither the
file nor `-D`.

Why is this bad: it is replaced by nothing, silently. `"${hoem}/Mail"` is `/Mail`, and `exec "echo ${HOME}"` does not
show the shell's variable.

Example:

    $home = "/home/user"
    action "inbox" maildir "${hoem}/Mail"

Use instead: the name that is defined; for the shell's own variable single quotes or `\\${HOME}`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import pieces
from rulesmith.source import Span
from rulesmith.syntax.tree import MacroDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Piece

NAME = "undefined-macro"
SEVERITY = Severity.WARNING

# An escaped octet, or a macro.
_USE = re.compile(r"\\.|([$%])\{([A-Za-z0-9][A-Za-z0-9_-]*)\}", re.DOTALL)


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such use."""
    defined = set(compiled.macros)
    for statement in flatten(compiled.config.statements):
        for piece in pieces(statement):
            if piece.kind == "double":
                yield from _in_piece(piece, defined)
        if isinstance(statement, MacroDefinition):
            defined.add(statement.name)


def _in_piece(piece: Piece, defined: set[str]) -> Iterator[Finding]:
    for use in _USE.finditer(piece.written):
        name = f"{use[1]}{use[2]}" if use[1] else ""
        if name and name not in defined:
            start = piece.span.start + use.start()
            yield Finding(
                Span(piece.span.source, start, start + len(use[0])),
                f"the macro {name} is not defined here: it is replaced by nothing",
                help=did_you_mean(name, sorted(defined)),
            )
