"""A condition asks for a cache that nothing fills.

What it does: reports `in-cache` for a cache that no `add-to-cache` names, and `in-cache` with a constant or tag that no
`add-to-cache` of the cache uses.

Why is this bad: the condition is never true: duplicates are not found, or found by the wrong key.

Example:

    match in-cache "~/.seen" key "%[message_id]" action drop
    match all action { maildir "~/Mail" add-to-cache "~/.seen" key "%[hostname]" }

Use instead: `add-to-cache` with the same cache and key, as the last item of the delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.ladder import ladder
from rulesmith.program import is_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.program import Item

NAME = "cache-never-filled"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    added: dict[bytes, set[object]] = {}
    for _, action in _actions(compiled):
        for word, args, _ in action:
            if word == "add-to-cache":
                added.setdefault(args[0], set()).add(args[1])
    for rung in ladder(compiled):
        for condition, (_, _, word, args) in zip(rung.statement.conditions, rung.lowered[2], strict=True):
            if word != "in-cache" or is_unknown(args[0]):
                continue
            path, key = condition.phrase.args
            if args[0] not in added:
                yield Finding(path.span, "nothing adds to this cache, so nothing is ever in it", help="add-to-cache")
            elif (
                args[1] not in added[args[0]]
                and isinstance(args[1], tuple)
                and all(isinstance(other, tuple) for other in added[args[0]])
            ):
                yield Finding(
                    (key or condition).span,
                    "no add-to-cache of this cache uses this key, so that it is never found",
                    help="the same key in both",
                )


def _actions(compiled: Compiled) -> Iterator[tuple[object, tuple[Item, ...]]]:
    for action in compiled.lowered.actions.values():
        yield action, action[2]
    for rung in ladder(compiled):
        yield rung, rung.lowered[5] or ()
