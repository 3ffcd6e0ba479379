"""A colon in the name of a header field.

What it does: reports names of `add-header` and `remove-header` that end in a colon, or have a blank in them.

Why is this bad: the colon is added by fdm: `X-Seen:` becomes `X-Seen::`, and nothing is ever removed by such a name.

Example:

    match all action add-header "X-Seen:" value "yes" continue

Use instead: the name alone, `X-Seen`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "header-name-with-colon"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such name."""
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word not in ("add-header", "remove-header"):
            continue
        names = phrase.args[0] if phrase.word == "remove-header" else (phrase.args[0],)
        for name in names:
            if name.value is None or not re.search(r":\s*$|[ :]", name.value) or "%" in name.value:
                continue
            fix = None
            end = name.pieces[-1]
            if re.fullmatch(r"[^ :]+: ?", name.value) and len(name.pieces) == 1 and end.written[-2:-1] in (":", " "):
                colon = end.written.rindex(":")
                span = Span(end.span.source, end.span.start + colon, end.span.end - 1)
                fix = Fix("without the colon", (Edit(span, ""),))
            yield Finding(name.span, "the name of a field has no colon and no blank", help="the name alone", fix=fix)
