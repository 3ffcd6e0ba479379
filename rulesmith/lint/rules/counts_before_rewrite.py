"""A count of lines that is older than the message.

What it does: notes `%[lines]`, `%[body_lines]`, `%[header_lines]` and `%[message_id]` in the action of a rule behind a
`rewrite`.

Why is this bad: they describe the message as it came. `rewrite` does not change them.

Example:

    match all action { rewrite "spamc" exec "logger %[lines]" }

Use instead: the tag before the rewrite; or the command that counts for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.tags import names_in, tag_shown, tag_span
from rulesmith.syntax.tree import Action, Rule, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "counts-before-rewrite"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True

_COUNTS = frozenset([b"lines", b"body_lines", b"header_lines"])


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    for statement in flatten(compiled.config.statements):
        items = statement.items or () if isinstance(statement, Action | Rule) else ()
        rewritten = False
        for item in items:
            if rewritten:
                for text in item.args:
                    for name in names_in(encode(text.value)) if isinstance(text, Text) and text.value else ():
                        if name in _COUNTS:
                            yield Finding(
                                tag_span(text, name), f"{tag_shown(name)} is that of the message before the rewrite"
                            )
            rewritten = rewritten or item.word == "rewrite"
