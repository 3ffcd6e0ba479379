"""A backslash that never reaches the regexp.

What it does: reports a single backslash in a double-quoted regexp where it would mean something: before `.`, `[`, `(`,
`*`, `d`, `s` and the like.

Why is this bad: in double quotes fdm takes the backslash away, silently. `"\\."` is a dot that matches anything,
`"\\[x\\]"` is one letter of a set, `"\\d"` is the letter d: the rule matches too much, or never.

Example:

    match "^From:.*@example\\.org" in headers action "example"

Use instead: two backslashes, `"\\\\."`, or single quotes, in which nothing is special.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.written import cells, place, regexp_texts
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "eaten-backslash"
SEVERITY = Severity.WARNING

# What a backslash changes outside of brackets, and in them. Before all other characters it is only for show.
_OUTSIDE = frozenset(".[()*+?{|^dDsSwWbBAZzGKQEhHvVRNXxe123456789pPf")
_INSIDE = frozenset("]^-dDsSwWbhHvVx")
_POSIX = frozenset("<>`'")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding for each string with such backslashes."""
    outside = _OUTSIDE | _POSIX if compiled.lowered.settings["regexp-dialect"] == "posix" else _OUTSIDE
    for text in regexp_texts(compiled):
        lost = [
            (piece, cell)
            for piece in text.pieces
            for cell in cells(piece)
            if cell.eaten and cell.char in (_INSIDE if cell.in_set else outside)
        ]
        if lost:
            piece, cell = lost[0]
            more = f" (and {len(lost) - 1} more here)" if len(lost) > 1 else ""
            # The others of the string as well, so that what is written looks like what is meant.
            edits = tuple(
                Edit(Span(part.span.source, each.start, each.start), "\\")
                for part in text.pieces
                for each in cells(part)
                if each.eaten
            )
            yield Finding(
                place(piece, cell),
                f"in double quotes this is a plain {cell.char}, and the backslash is gone{more}",
                help=f"\\\\{cell.char}, or single quotes",
                fix=Fix("two backslashes", edits),
            )
