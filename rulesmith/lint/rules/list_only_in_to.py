"""A mailing list is sought in the To field alone.

What it does: notes `^To:` with an address that looks like that of a list, in a rule that asks for no other field.

Why is this bad: answers to a list often have it in Cc, and a message of a list can have neither. The rule misses them.

Example:

    match "^To:.*rails-talk@lists\\\\.example\\\\.org" in headers action "rails"

Use instead: `^List-Id:`, which the list itself writes, or `^(To|Cc):`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "list-only-in-to"
SEVERITY = Severity.NOTE

_LIST = re.compile(
    r"(?:^|[^A-Za-z0-9])(?:users|devel|announce|discuss|hackers)\\*@|[-_.](?:users?|devel|dev|list|announce|discuss|talk|hackers|commits|bugs|l)\\*@|@lists?\b|@(?:listserv|mailman|googlegroups|freelists|yahoogroups|vger)\b",
    re.IGNORECASE,
)


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    asked: dict[int, set[str]] = {}
    for found in searches(compiled):
        names = named(found.text)
        if names is not None:
            asked.setdefault(found.lowered[0], set()).update(name.lower() for name in names.names)
    for found in searches(compiled):
        if (
            asked.get(found.lowered[0]) == {"to"}
            and not found.condition.negated
            and _LIST.search(found.text)
            and named(found.text) is not None
        ):
            yield Finding(
                found.regexp.text.span,
                "answers to a list often have its address in Cc, and this asks only for To",
                help="^List-Id:, or ^(To|Cc):",
            )
