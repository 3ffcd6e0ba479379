"""An alternation with an empty alternative at its end.

What it does: reports `a|b|`, `|a`, `a||b` where the empty alternative makes the whole regexp match everything, or
stands in a group behind `.*` that ends the regexp.

Why is this bad: nothing at all is one of the alternatives, and it is found everywhere. The words beside it decide
nothing.

Example:

    match "^Subject:.*(viagra|casino|)" in headers action drop

Use instead: the alternation without the last `|`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import searches
from rulesmith.regexp.tree import Choice, Group, Repeat, Sequence
from rulesmith.regexp.tree import Set as Octets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.regexp.tree import Node

NAME = "empty-alternative"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        tree = found.parsed
        if tree is not None and "|" in found.text and _ends_empty(tree.root):
            yield Finding(
                found.regexp.text.span,
                "one alternative is empty, so that the others decide nothing",
                help="without the | beside nothing",
            )


def _ends_empty(node: Node) -> bool:
    """Whether the last part is a choice of which one branch is nothing."""
    if isinstance(node, Group):
        return _ends_empty(node.item)
    if isinstance(node, Sequence):
        # Behind `.*` the words were to decide; behind other text they may be an ending that is welcome but not needed.
        return len(node.items) > 1 and _is_anything(node.items[-2]) and _ends_empty(node.items[-1])
    return isinstance(node, Choice) and Sequence(()) in node.branches


def _is_anything(node: Node) -> bool:
    return isinstance(node, Repeat) and node.high is None and isinstance(node.item, Octets)
