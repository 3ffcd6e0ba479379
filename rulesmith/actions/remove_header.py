"""`remove-header` removes header fields.

Syntax: `remove-header "PATTERN"` or `remove-headers { "PATTERN" "PATTERN" }`

Every field whose name matches (fnmatch, upper and lower case the same) is removed with its continuation lines. Tags are
replaced for each message. Nothing to remove is no failure.

Example:

    match all action remove-headers { "X-Spam-*" "Precedence" } continue
"""

from __future__ import annotations

from rulesmith.effects import Failure
from rulesmith.mail import header
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run, User
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    (patterns,) = phrase.args
    return (scope.listed(patterns, "invalid header"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"remove-header " + b" ".join(b'"%s"' % shown(pattern) for pattern in args[0])


def perform(args: tuple[tuple[Template, ...]], run: Run, user: User) -> Asking:
    patterns = []
    for template in args[0]:
        pattern = run.expand(template)
        if not pattern:
            raise Failure("empty header")
        if run.trace:
            run.trace("removing-header", pattern)
        patterns.append(pattern)
    message = run.message
    message.make_room()
    raw = header.remove(message.raw, message.body_at, patterns)
    message.replace(raw, message.body_at + len(raw) - len(message.raw))
    return
    yield  # asks for nothing, but is driven like the others
