"""A field name that is one slip away from a common one.

What it does: reports a regexp that begins with a field name that is not known, but would be with one letter more, less,
other or swapped. For the pattern of `remove-header` likewise.

Why is this bad: no mail has such a field, and the rule never matches.

Example:

    match "^Delievered-To:.*shop@" in headers action "shop"

Use instead: the name that is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named, one_slip
from rulesmith.lint.searches import searches
from rulesmith.lint.strings import phrases
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.searches import Search

NAME = "misspelt-header"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such name."""
    for found in searches(compiled):
        names = named(found.text)
        if names is None or (not names.anchored and found.area != "headers"):
            continue
        for name in names.names:
            meant = one_slip(name)
            if meant is not None:
                yield Finding(_where(found, name), f"mail has no field {name}", help=f'did you mean "{_usual(meant)}"?')
                break
    for phrase, is_condition in phrases(compiled):
        for text in phrase.args[0] if phrase.word == "remove-header" and not is_condition else ():
            meant = one_slip(text.value) if text.value and re.fullmatch(r"[A-Za-z-]+", text.value) else None
            if meant is not None:
                yield Finding(text.span, f"mail has no field {text.value}", help=f'did you mean "{_usual(meant)}"?')


def _usual(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def _where(found: Search, name: str) -> Span:
    span = found.regexp.text.span
    at = span.text.find(name)
    return span if at < 0 else Span(span.source, span.start + at, span.start + at + len(name))
