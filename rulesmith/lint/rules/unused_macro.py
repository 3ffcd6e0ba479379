"""A macro that nothing uses.

What it does: notes a macro that is neither used below its definition nor asked for with `ifdef`.

Why is this bad: it is dead, or its name is misspelt where it should be used.

Example:

    $lists = "~/Mail/lists"

Use instead: nothing, or the right name where it is meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.source import Span
from rulesmith.syntax.tree import MacroDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unused-macro"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such definition."""
    texts = [source.text for source in compiled.config.sources]
    for statement in flatten(compiled.config.statements):
        if not isinstance(statement, MacroDefinition):
            continue
        sigil, name = re.escape(statement.name[0]), re.escape(statement.name[1:])
        use = re.compile(rf"{sigil}(?:\{{{name}\}}|{name}(?![A-Za-z0-9_-]))")
        # The definition itself is one; whatever else there is may be a use, also in what an ifdef leaves out now.
        if sum(len(use.findall(text)) for text in texts) <= 1:
            yield Finding(
                Span(statement.span.source, statement.span.start, statement.span.start + len(statement.name)),
                "nothing uses this macro",
            )
