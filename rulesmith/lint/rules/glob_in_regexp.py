"""A `*` that is meant as in a file name.

What it does: reports `*` behind a plain character at the end of a regexp, and `@*`.

Why is this bad: in a regexp `*` repeats the character before it, none included. `LOUD*` is `LOU` with any number of D:
at the end of a regexp it has no effect but to make the last character optional.

Example:

    match "^Subject: LOUD*" in headers action "loud"

Use instead: nothing at the end (`LOUD` is found anywhere behind it), or `.*` between two texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import searches
from rulesmith.regexp.tree import Choice, Literal, Repeat, Sequence, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.regexp.tree import Node

NAME = "glob-in-regexp"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        tree = found.parsed
        if tree is None:
            continue
        character = _last(tree.root) or _at_sign(tree.root)
        if character is not None:
            shown = character.decode("latin-1")
            yield Finding(
                found.regexp.text.span,
                f"{shown}* is any number of {shown}, also none; in a regexp * stands for nothing by itself",
                help="leave the * out, or write .*",
            )


def _star(node: Node) -> bytes | None:
    """The character that a star repeats."""
    if not isinstance(node, Repeat) or node.low != 0 or node.high is not None or not isinstance(node.item, Literal):
        return None
    octets = node.item.octets
    return octets if len(octets) == 1 and octets not in (b" ", b"\t", b"\n") else None


def _last(node: Node) -> bytes | None:
    if isinstance(node, Sequence):
        return _last(node.items[-1]) if len(node.items) > 1 else None
    if isinstance(node, Choice):
        return next((found for found in map(_last, node.branches) if found), None)
    return _star(node)


def _at_sign(node: Node) -> bytes | None:
    if _star(node) == b"@":
        return b"@"
    return next((found for found in map(_at_sign, children(node)) if found), None)
