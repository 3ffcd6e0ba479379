"""A maildir inside a maildir.

What it does: reports `maildir` with a path that ends in `new`, `cur` or `tmp`.

Why is this bad: fdm makes a maildir at that place, with `new`, `cur` and `tmp` of its own. Mail readers do not look
there.

Example:

    action "inbox" maildir "~/Maildir/new"

Use instead: the folder above, `~/Maildir`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "inside-maildir"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such path."""
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word != "maildir" or phrase.args[0].value is None:
            continue
        above, _, last = phrase.args[0].value.rstrip("/").rpartition("/")
        around = above.rpartition("/")[2].lower()
        if last in ("new", "cur", "tmp") and around in ("maildir", ".maildir"):
            yield Finding(phrase.args[0].span, f"fdm makes a maildir inside {last}", help=above)
