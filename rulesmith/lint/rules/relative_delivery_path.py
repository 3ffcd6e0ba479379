"""A delivery to a path that depends on where fdm is started.

What it does: reports relative paths of `maildir`, `mbox`, `write`, `append` and caches.

Why is this bad: they begin in the working directory: that of fetchmail, cron or the mail server, and another one when
somebody tries the rules in a terminal. The mail is delivered to a folder that nobody reads.

Example:

    action "inbox" maildir "Mail/inbox"

Use instead: `~/Mail/inbox`, `%h/Mail/inbox`, or the whole path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases
from rulesmith.syntax.tree import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Text

NAME = "relative-delivery-path"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

_WORDS = ("maildir", "mbox", "write", "append")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such path."""
    for phrase, is_condition in phrases(compiled):
        if not is_condition and phrase.word in _WORDS and phrase.args[0].value is not None:
            yield from _at(phrase.args[0], phrase.args[0].value)
    for statement in compiled.config.statements:
        if isinstance(statement, Cache) and statement.path.value is not None:
            yield from _at(statement.path, statement.path.value)


def _at(text: Text, value: str) -> Iterator[Finding]:
    if value[:1] not in ("/", "~", "%", "") and not value.startswith("$"):
        yield Finding(text.span, "this path begins wherever fdm is started", help=f"~/{value}")
