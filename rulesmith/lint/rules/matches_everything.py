"""A regexp that every message has.

What it does: reports a regexp with letters in it that is found in every message: in fields that all mail has (From,
Date), or in the Received line that fdm itself adds, with its name and that of the account. In a rule that drops mail,
or stands above others, fields that nearly all mail has count as well.

Why is this bad: the rule takes everything. `match "fdm"` or a name of the account matches each message, because of the
Received line on top.

Example:

    match "^Subject:" in headers action drop

Use instead: `match all`, if it is meant; `^`, more of the text, or `set no-received` otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.effects import Failure
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs
from rulesmith.lint.ladder import ladder
from rulesmith.lint.messages import BARE, ORDINARY, with_received
from rulesmith.lint.searches import searches
from rulesmith.regexp.search import search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.searches import Search

NAME = "matches-everything"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    accounts = list(compiled.lowered.accounts)
    bare: tuple[bytes, ...] = BARE
    usual: tuple[bytes, ...] = ORDINARY
    if not compiled.lowered.settings["no-received"]:
        bare = tuple(area for account in accounts for area in with_received(BARE, account))
        usual = tuple(area for account in accounts for area in with_received(ORDINARY, account))
    if not bare:
        return
    dropping = {
        rung.lowered[0]
        for rung in ladder(compiled)
        if "drop" in [word for word, _, _ in jobs(compiled, rung.lowered) or ()] and not rung.statement.continues
    }
    for found in searches(compiled):
        if found.area == "body" or found.condition.negated or not any(character.isalnum() for character in found.text):
            continue
        if _in_all(found, bare):
            yield Finding(found.regexp.text.span, "every message has this", help="match all, or more of the text")
        elif found.lowered[0] in dropping and len(found.lowered[2]) == 1 and _in_all(found, usual):
            yield Finding(
                found.regexp.text.span, "nearly every message has this, and is dropped", help="more of the text"
            )


def _in_all(found: Search, areas: tuple[bytes, ...]) -> bool:
    """Whether the regexp is found in all of these, as far as that can be told in time."""
    try:
        return all(search(found.pattern, area, area.lower()) is not None for area in areas)
    except Failure:
        return False
