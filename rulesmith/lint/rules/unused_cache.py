"""A cache that no rule asks for.

What it does: notes a `cache` that no `in-cache` names.

Why is this bad: messages are remembered for nothing, or the rule that should ask for them is missing, and duplicates
are delivered.

Example:

    cache "~/.seen"
    match all action { maildir "~/Mail" add-to-cache "~/.seen" key "%[message_id]" }

Use instead: `match in-cache "~/.seen" key "%[message_id]" action drop` above, or no cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.ladder import ladder
from rulesmith.program import is_unknown
from rulesmith.syntax.tree import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unused-cache"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such cache."""
    asked = {args[0] for rung in ladder(compiled) for _, _, word, args in rung.lowered[2] if word == "in-cache"}
    if any(is_unknown(path) for path in asked):
        return
    for statement, lowered in compiled.lowered.added:
        if isinstance(statement, Cache) and lowered[0] not in asked and statement.path.value is not None:
            yield Finding(statement.path.span, "no rule asks what is in this cache")
