"""A `%[` without its `]`.

What it does: reports `%[name` in a string with no `]` behind it, and a tag inside a tag.

Why is this bad: it is copied as it stands: the folder is called `%[mail_year`. Of `%[a%[b]]` the first `]` ends it.

Example:

    match all action maildir "~/Mail/%[mail_year"

Use instead: `%[mail_year]`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.percents import strings
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unclosed-tag"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such tag."""
    for piece in strings(compiled):
        for tag in re.finditer(r"(?<!%)(?:%%)*(%\[([^\]]*)(\]?))", piece.written[1:-1]):
            if tag[3] and "%[" not in tag[2]:
                continue
            start = piece.span.start + 1 + tag.start(1)
            yield Finding(
                Span(piece.span.source, start, start + len(tag[1])),
                "this tag has no ]" if not tag[3] else "a tag cannot stand in a tag: the first ] ends it",
            )
