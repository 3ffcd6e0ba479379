"""An open parenthesis of a PCRE2 regexp, and the node it makes when it is closed."""

from __future__ import annotations

from rulesmith.regexp.tree import (
    NOTHING,
    Atomic,
    BackReference,
    Choice,
    Conditional,
    Group,
    Look,
    Node,
    Sequence,
    choice,
    contains,
    sequence,
    without_groups,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.regexp.pcre_reader import Reader


class Frame:
    """kind: top, plain, capture, atomic, look, reset, condition, condition assertion. `flags` are those outside."""

    __slots__ = ("at", "base", "behind", "branches", "flags", "items", "kind", "most", "negated", "number")

    def __init__(
        self, kind: str, at: int, flags: int, number: int = 0, behind: bool = False, negated: bool = False
    ) -> None:
        self.kind = kind
        self.at = at
        self.flags = flags
        self.number = number  # of the capture, or of the capture that a condition asks for (0: an assertion)
        self.behind = behind
        self.negated = negated
        self.branches: list[Node] = []
        self.items: list[Node] = []
        self.base = self.most = 0  # captures before a `(?|`, and the most in one of its branches


def close(reader: Reader, frame: Frame) -> Node:
    """The node of a parenthesis whose `)` has just been read."""
    branches = [*frame.branches, sequence(frame.items)]
    if frame.kind == "condition":
        return _condition(reader, frame, branches)
    inner = choice(branches)
    if frame.kind == "capture":
        reader.done.add(frame.number)
        return Group(inner, frame.number)
    if frame.kind == "atomic":
        return Atomic(inner)
    if frame.kind in ("look", "condition assertion"):
        return Look(inner, frame.behind, frame.negated, frame.at)
    if frame.kind == "reset":
        reader.groups = max(frame.most, reader.groups)
    # A literal in parentheses must not join its neighbours: a quantifier is for all of it.
    return Sequence((inner,))


def _condition(reader: Reader, frame: Frame, branches: list[Node]) -> Node:
    if len(branches) > 2:
        raise reader.refused("conditional subpattern contains more than two branches", frame.at)
    no = branches[1] if len(branches) == 2 else NOTHING
    if frame.number:
        return Conditional(frame.number, branches[0], no)
    first = branches[0].items if isinstance(branches[0], Sequence) else (branches[0],)
    test = first[0]
    assert isinstance(test, Look)
    if contains(test.item, Group) and contains(test.item, BackReference, Conditional):
        raise reader.cannot("a condition that refers to its own captures", frame.at)
    opposite = Look(without_groups(test.item), test.behind, not test.negated, test.at)
    return Choice((Sequence(first), Sequence((opposite, no))))
