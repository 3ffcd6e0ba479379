"""Where glibc's captures are not those of a backtracking matcher, and where glibc is wrong altogether."""

from __future__ import annotations

from rulesmith.regexp.automaton import takes_nothing
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.tree import Anchor, BackReference, Group, Literal, Node, Repeat, Set, children, contains


def check_references(root: Node) -> None:
    """RegexpError for back-references that glibc may not find."""
    if contains(root, BackReference) and _counts_groups(root):
        what = "a back-reference cannot be used here together with a capture inside {n,m} (glibc gets it wrong)"
        raise RegexpError(what, None)


def _counts_groups(node: Node) -> bool:
    counted = isinstance(node, Repeat) and node.high is not None and node.high > 1 and contains(node.item, Group)
    return counted or any(_counts_groups(child) for child in children(node))


def is_perl_order(node: Node) -> bool:
    """Whether `re` finds glibc's captures, given the whole match; RegexpError where nothing here finds them.

    glibc writes `X{0,2}` as `((X)?X)?`, so the last time comes before a longer first one, and an optional time that
    takes nothing brings back the captures of the time before.
    """
    if not isinstance(node, Repeat) or isinstance(node.item, (Literal, Set)):
        return all(is_perl_order(child) for child in children(node))
    item = node.item
    if contains(item, Anchor):
        raise RegexpError("an anchor inside a repeated part cannot be used here (glibc gets it wrong)", None)
    if takes_nothing(item) and _repeats_nothing(item):
        raise RegexpError("a loop inside a loop where both may take nothing cannot be used here", None)
    optional = None if node.high is None else node.high - node.low
    simple = not takes_nothing(item) if optional is None or optional < 2 else _is_fixed(item)
    return is_perl_order(item) and simple


def _repeats_nothing(node: Node) -> bool:
    return (isinstance(node, Repeat) and contains(node.item, Group) and takes_nothing(node)) or any(
        _repeats_nothing(child) for child in children(node)
    )


def _is_fixed(node: Node) -> bool:
    """Whether each time takes one octet: then only the number of times can differ."""
    while isinstance(node, Group):
        node = node.item
    return isinstance(node, Set) or (isinstance(node, Literal) and len(node.octets) == 1)
