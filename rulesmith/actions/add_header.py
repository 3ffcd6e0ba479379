"""`add-header` adds a header field.

Syntax: `add-header "NAME" value "VALUE"` (`value` may be left out)

Tags in both are replaced for each message. The field becomes the last of the header, also where one of that name
exists. Line breaks that a tag would bring are left out.

Example:

    match all action add-header "X-Filter" value "rule %[rule]" continue
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
    name, value = phrase.args
    return scope.template(name, "invalid header"), scope.template(value)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    name, value = args
    return b'add-header "%s" value "%s"' % (shown(name), shown(value))


def perform(args: tuple[Template, Template], run: Run, user: User) -> Asking:
    name = run.expand(args[0], breaks=True)
    if not name:
        raise Failure("empty header")
    value = run.expand(args[1], breaks=True)
    if run.trace:
        run.trace("adding-header", name)
    message = run.message
    message.make_room()
    raw = header.add(message.raw, message.body_at, name, value)
    message.replace(raw, message.body_at + len(raw) - len(message.raw))
    return
    yield  # asks for nothing, but is driven like the others
