"""An action that no rule uses.

What it does: notes an action whose name no rule and no other action names, also not by a pattern or a tag.

Why is this bad: it is dead, or the rule that should use it names another one.

Example:

    action "lists" maildir "~/Mail/lists"
    match all action "inbox"

Use instead: the rule that is missing, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.mail import glob
from rulesmith.syntax.tree import Action, Rule
from rulesmith.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unused-action"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the name of each such action."""
    patterns: list[bytes] = []
    for statement in flatten(compiled.config.statements):
        names = list(statement.names or ()) if isinstance(statement, Rule) else []
        for item in statement.items or () if isinstance(statement, Rule | Action) else ():
            if item.word == "action":
                names += item.args[0]
        for name in names:
            if name.value is None:
                return
            template = compile_template(encode(name.value))
            parts = (template,) if isinstance(template, bytes) else template[1]
            patterns.append(b"".join(part if isinstance(part, bytes) else b"*" for part in parts))
    for statement in flatten(compiled.config.statements):
        if not isinstance(statement, Action) or statement.name.value is None:
            continue
        name_octets = encode(statement.name.value)
        if any(glob.matches(pattern, name_octets) for pattern in patterns) or _elsewhere(compiled, statement):
            continue
        yield Finding(statement.name.span, "no rule uses this action")


def _elsewhere(compiled: Compiled, action: Action) -> bool:
    """Whether the name is written in another string: perhaps in a part that an ifdef leaves out now."""
    quoted = (f'"{action.name.value}"', f"'{action.name.value}'")
    return sum(source.text.count(name) for source in compiled.config.sources for name in quoted) > 1
