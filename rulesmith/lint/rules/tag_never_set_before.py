"""A condition asks for a tag before anything can have set it.

What it does: reports `tagged "name"` where all `tag` items of that name stand in rules below, or in rules above that
end the evaluation.

Why is this bad: the condition is never true. (A name that nothing sets at all is `unknown-tag`.)

Example:

    match tagged "list" action "lists"
    match "^List-Id:" in headers action tag "list" continue

Use instead: the rule that sets the tag first, with `continue`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import jobs
from rulesmith.lint.ladder import ladder, mark
from rulesmith.lint.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung

NAME = "tag-never-set-before"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    tags = Tags(compiled)
    if tags.open:
        return
    seen: set[bytes] = set()
    later: dict[bytes, Rung] = {}
    rungs = ladder(compiled)
    setting = {rung.lowered[0]: _set_by(compiled, rung) for rung in rungs}
    if None in setting.values():
        return
    for rung in rungs:
        for name in setting[rung.lowered[0]] or ():
            later.setdefault(name, rung)
    for rung in rungs:
        for condition in rung.statement.conditions:
            if condition.phrase.word != "tagged":
                continue
            name = encode(condition.phrase.args[0].value or "%")
            if name in later and name not in seen and not any(octet in b"%*?[" for octet in name):
                yield Finding(
                    condition.phrase.args[0].span,
                    f'the tag "{condition.phrase.args[0].value}" is set only below, or by rules that go no further',
                    also=(Label(mark(later[name]), "here"),),
                    help="the rule that sets it above this one, with continue",
                )
        if rung.statement.continues:
            seen.update(setting[rung.lowered[0]] or ())


def _set_by(compiled: Compiled, rung: Rung) -> set[bytes] | None:
    if rung.statement.block is not None:
        return set()
    items = jobs(compiled, rung.lowered)
    return (
        None if items is None else {args[0] for word, args, _ in items if word == "tag" and isinstance(args[0], bytes)}
    )
