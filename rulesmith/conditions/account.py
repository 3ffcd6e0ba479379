"""`account` is true for messages that came from one of these accounts.

Syntax: `account "PATTERN"` or `accounts { "PATTERN" "PATTERN" }`

The patterns are shell patterns (fnmatch, case-sensitive) over account names, their tags replaced for each message.
A pattern without tags that no account of the configuration matches is reported when it is read.

Example:

    match account "stdin" and "^To: me@" in headers action "inbox"
"""

from __future__ import annotations

from rulesmith.effects import Failure
from rulesmith.mail import glob
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    patterns, listed = phrase.args
    if listed:
        return (scope.listed(patterns, None),)
    return (tuple(scope.template(pattern, "invalid account name") for pattern in patterns),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"account " + b" ".join(b'"%s"' % shown(pattern) for pattern in args[0])


ASKS = False


def holds(args: tuple[tuple[Template, ...]], run: Run) -> bool:
    for template in args[0]:
        pattern = run.expand(template)
        if not pattern:
            raise Failure("empty account")
        # The account's own name, whatever a rule has made of the tag `account`.
        if glob.matches(pattern, run.name):
            return True
    return False
