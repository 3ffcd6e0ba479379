"""A `+` or `?` that is meant as text.

What it does: reports `+` behind a letter in the local part of an address (`me+shop@`), and `=?utf-8?` as it stands in
encoded header fields.

Why is this bad: `+` repeats the character before it and `?` makes it optional. `me+shop@` matches `meshop@` and
`meeshop@`, and never `me+shop@`.

Example:

    match "^Delivered-To:.*me+shop@" in headers action "shop"

Use instead: a backslash, doubled in double quotes: `me\\\\+shop@`, `=\\\\?utf-8\\\\?`.
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

NAME = "quantifier-as-text"
SEVERITY = Severity.WARNING

_PLUS = re.compile(r"[A-Za-z0-9](\+)[A-Za-z0-9][A-Za-z0-9._-]*(?:\\*@)")
_ENCODED = re.compile(r"=(\?)[A-Za-z][A-Za-z0-9-]*(\?)")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding for each such part."""
    for text in regexp_texts(compiled):
        for piece in text.pieces:
            written = cells(piece)
            shape = "".join(
                " " if cell.escaped or cell.in_set or len(cell.char) != 1 else cell.char for cell in written
            )
            for part in (*_PLUS.finditer(shape), *_ENCODED.finditer(shape)):
                signs = [written[part.start(number)] for number in range(1, (part.lastindex or 0) + 1)]
                backslash = "\\\\" if piece.kind == "double" else "\\"
                edits = tuple(Edit(Span(piece.span.source, sign.start, sign.start), backslash) for sign in signs)
                char = signs[0].char
                effect = "repeats the character before it" if char == "+" else "makes the character before it optional"
                yield Finding(
                    place(piece, signs[0]),
                    f"{char} {effect}, and is no part of the text",
                    help=f"{backslash}{char}",
                    fix=Fix(f"a {char} that is only that", edits),
                )
