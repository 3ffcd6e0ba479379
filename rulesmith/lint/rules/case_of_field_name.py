"""`case` with a field name that mail does not write so.

What it does: reports `case` before a regexp whose field name is written in small letters only, or in capitals only.

Why is this bad: mail says `Subject:`. With `case` the regexp `^subject:` does not match that, and the rule never does.

Example:

    match case "^subject:.*URGENT" in headers action "urgent"

Use instead: the name as mail writes it, `^Subject:`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import HEADERS, named
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "case-of-field-name"
SEVERITY = Severity.WARNING

_SHORT = ("cc", "bcc")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        names = named(found.text) if found.regexp.case else None
        for name in names.names if names else ():
            if name.lower() in HEADERS and name in (name.lower(), name.upper()) and name.lower() not in _SHORT:
                usual = "-".join(word.capitalize() for word in name.split("-"))
                yield Finding(
                    found.regexp.text.span,
                    f"with case, {name}: is not {usual}:, which is what mail writes",
                    help=f"^{usual}:",
                )
                break
