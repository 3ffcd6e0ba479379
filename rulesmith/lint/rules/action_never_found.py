"""An action name with a tag, which no action has.

What it does: reports an action name that is put together from tags, where no action has such a name whatever the tags
hold. (A name without tags is `unknown-action`.)

Why is this bad: fdm looks for the action when a message matches, finds none, and the message fails, each time it comes.
Often a word is missing: `action "%h/Mail/x"` for `action maildir "%h/Mail/x"`.

Example:

    match "^List-Id:" in headers action "%h/Mail/lists"

Use instead: `action maildir "%h/Mail/lists"`, or the name of an action.
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

NAME = "action-never-found"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such name."""
    known = list(compiled.lowered.actions)
    if any(isinstance(each, Action) and each.name.value is None for each in compiled.config.statements):
        return
    for statement in flatten(compiled.config.statements):
        names = list(statement.names or ()) if isinstance(statement, Rule) else []
        for item in statement.items or () if isinstance(statement, Rule | Action) else ():
            if item.word == "action":
                names += item.args[0]
        for name in names:
            template = compile_template(encode(name.value or ""))
            if isinstance(template, bytes) or name.value is None:
                continue
            pattern = b"".join(part if isinstance(part, bytes) else b"*" for part in template[1])
            if not any(glob.matches(pattern, each) for each in known):
                path = "/" in name.value
                yield Finding(
                    name.span,
                    "no action has such a name, whatever the tags hold",
                    help=f"action maildir {name.span.text}" if path else None,
                )
