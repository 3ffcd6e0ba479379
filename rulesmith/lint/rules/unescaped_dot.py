"""A dot in an address or domain that matches any character.

What it does: notes a plain `.` in a regexp where a domain or an address is written: behind `@`, or before a top-level
domain such as `org`.

Why is this bad: `example.org` also matches `examplexorg` and `example-org`. Few messages have that by chance, but who
wants to be taken for somebody else can.

Example:

    match "^From:.*@example.org" in headers action "example"

Use instead: `example\\\\.org` in double quotes, `example\\.org` in single quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.written import cells, place, regexp_texts
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.written import Cell

NAME = "unescaped-dot"
SEVERITY = Severity.NOTE

_TOP = (
    "com|net|org|edu|gov|mil|info|biz|name|io|dev|app|email|example|invalid|test|"
    "de|fr|uk|ch|nl|se|es|ru|pl|cz|eu|jp|cn|br|ca|au"
)
# \1 is a dot that is escaped, a blank whatever is no part of a name.
_DOMAINS = re.compile(
    rf"(?<=@)[\w-]+(?:[.\1][\w-]+)*[.\1]?|[\w-]+(?:[.\1][\w-]+)*[.\1](?:{_TOP})(?![\w.\1-])|[\w-]+(?:[.\1][\w-]+)+(?=@)"
)


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding for each string with such dots."""
    for text in regexp_texts(compiled):
        found = [(piece, dot) for piece in text.pieces for dot in _dots(cells(piece))]
        if found:
            piece, dot = found[0]
            more = f" (and {len(found) - 1} more here)" if len(found) > 1 else ""
            edits = tuple(
                Edit(Span(part.span.source, each.start, each.start), "\\\\" if part.kind == "double" else "\\")
                for part, each in found
            )
            yield Finding(
                place(piece, dot),
                f"this dot in a name matches any character{more}",
                help="\\\\." if piece.kind == "double" else "\\.",
                fix=Fix("a dot that is only a dot", edits),
            )


def _dots(written: list[Cell]) -> list[Cell]:
    """The dots of names."""
    shape = "".join(_shown(cell, written[at + 1] if at + 1 < len(written) else None) for at, cell in enumerate(written))
    found = []
    for domain in _DOMAINS.finditer(shape):
        found += [written[at] for at in range(*domain.span()) if shape[at] == "."]
    return sorted(set(found), key=lambda cell: cell.start)


def _shown(cell: Cell, following: Cell | None) -> str:
    """One character that stands for a cell."""
    if cell.in_set or cell.char in "[]":
        return " "
    if cell.char == ".":
        quantified = following is not None and not following.escaped and following.char in "*+?{"
        return "\1" if cell.escaped else " " if quantified else "."
    if cell.escaped and (cell.char.isalnum() or cell.char == "_"):
        return " "
    return cell.char if cell.char.isascii() and (cell.char.isalnum() or cell.char in "@-_") else " "
