"""`string` searches a text of your own, made of tags, instead of the message.

Syntax: `string "TEXT" to "REGEXP"` or `string "TEXT" to case "REGEXP"`

Tags in TEXT are replaced for each message, those in REGEXP when the configuration is read. Submatches are not kept.
An empty REGEXP is true if TEXT is empty.

Example:

    match string "%[mail_year]" to "^199" action "old"
"""

from __future__ import annotations

from rulesmith.program import shown
from rulesmith.regexp.search import search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.program import Pattern, Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    text, regexp = phrase.args
    template = scope.template(text, "invalid string")
    return template, scope.pattern(regexp)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    text, pattern = args
    return b'string "%s" to "%s"' % (shown(text), shown(pattern))


ASKS = False


def holds(args: tuple[Template, Pattern], run: Run) -> bool:
    text = run.expand(args[0])
    return search(args[1], text, text.lower()) is not None
