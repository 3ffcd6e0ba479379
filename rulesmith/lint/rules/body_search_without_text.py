"""A search of whole messages for no fixed text.

What it does: notes a regexp searched in the body or the whole message, in which there is no text of three characters
that must be there, in a rule that does not limit the size before it.

Why is this bad: without such a text every octet of every message is tried, attachments of megabytes included.

Example:

    match "[0-9]{16}" in body action "cards"

Use instead: `size < 1M and "[0-9]{16}" in body`; `in headers` where that is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.ladder import ladder
from rulesmith.lint.searches import searches
from rulesmith.regexp.tree import Repeat, contains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.regexp.tree import Parsed

NAME = "body-search-without-text"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    limited = {
        rung.lowered[0]
        for rung in ladder(compiled)
        for each in (rung, *rung.outside())
        for condition in each.statement.conditions
        if condition.phrase.word == "size"
    }
    for found in searches(compiled):
        if found.area == "headers" or found.lowered[0] in limited or not found.source:
            continue
        names = named(found.text)
        if len(found.pattern[3]) < 3 and _repeats(found.parsed) and names is None:
            yield Finding(
                found.regexp.text.span,
                "every octet of every message is tried, because no fixed text must be there",
                help="size < 1M and …",
            )


def _repeats(tree: Parsed | None) -> bool:
    return tree is not None and contains(tree.root, Repeat)
