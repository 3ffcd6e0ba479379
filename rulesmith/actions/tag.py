"""`tag` gives the message a tag.

Syntax: `tag "NAME"` or `tag "NAME" value "VALUE"`

Tags in NAME and VALUE are replaced for each message. An existing tag of that name is overwritten; a name that becomes
empty does nothing. Use the tag as `%[NAME]`, or test it with `tagged`.

Example:

    match "^List-Id:.*<([^.]*)" in headers action tag "list" value "%1" continue
"""

from __future__ import annotations

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
    return scope.template(name, "invalid tag"), None if value is None else scope.template(value)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    name, value = args
    text = b'tag "%s"' % shown(name)
    return text if value is None else text + b' value "%s"' % shown(value)


def perform(args: tuple[Template, Template | None], run: Run, user: User) -> Asking:
    name = run.expand(args[0])
    if name:
        value = b"" if args[1] is None else run.expand(args[1])
        if run.trace:
            run.trace("tagging", name, value)
        run.message.tags[name] = value
    return
    yield  # asks for nothing, but is driven like the others
