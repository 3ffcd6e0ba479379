"""A cache whose key is the same for every message decides that mail is dropped.

What it does: reports `in-cache` with a key without tags, in a rule that stores nothing and has no other condition.

Why is this bad: the first message adds the key, and all others are taken for its duplicates.

Example:

    match in-cache "~/.seen" key "message_id" action drop

Use instead: a tag: `key "%[message_id]"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, jobs
from rulesmith.lint.ladder import ladder
from rulesmith.syntax.tree import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "constant-cache-key"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such key."""
    for rung in ladder(compiled):
        words = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        if (
            len(rung.lowered[2]) != 1
            or rung.around is not None
            or "drop" not in words
            or any(word in STORING for word in words)
        ):
            continue
        (_, negated, word, args), condition = rung.lowered[2][0], rung.statement.conditions[0]
        if word == "in-cache" and not negated and isinstance(args[1], bytes):
            key = condition.phrase.args[1]
            yield Finding(
                key.span if isinstance(key, Text) else condition.span,
                "this key is the same for every message: after the first all are dropped",
                help='key "%[message_id]"',
            )
