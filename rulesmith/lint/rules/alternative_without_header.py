"""An alternative that leaves the header field behind.

What it does: reports a `|` outside of parentheses in a regexp that begins with `^Name:`, where what stands behind the
`|` does not begin with `^`.

Why is this bad: the bar divides the whole regexp. `^Subject:.*casino|lottery` is "casino in the Subject" or "lottery
anywhere".

Example:

    match "^Subject:.*casino|lottery" in headers action "junk"

Use instead: parentheses: `^Subject:.*(casino|lottery)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.searches import searches
from rulesmith.regexp.tree import Anchor, Choice, Group, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.regexp.tree import Node

NAME = "alternative-without-header"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        names = named(found.text)
        tree = found.parsed
        if names is None or not names.anchored or tree is None or not isinstance(tree.root, Choice):
            continue
        loose = [branch for branch in tree.root.branches[1:] if branch != Sequence(()) and not _anchored(branch)]
        if loose:
            yield Finding(
                found.regexp.text.span,
                f"the | divides the whole regexp: what stands behind it is found outside of {names.names[0]} as well",
                help=f"{found.text[: names.end]}.*(…|…)",
            )


def _anchored(node: Node) -> bool:
    if isinstance(node, Group):
        return _anchored(node.item)
    if isinstance(node, Choice):
        return all(map(_anchored, node.branches))
    if isinstance(node, Sequence):
        return bool(node.items) and _anchored(node.items[0])
    return isinstance(node, Anchor)
