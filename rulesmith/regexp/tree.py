"""A parsed regexp. Case, `.` and line modes are resolved by the parsers: every node means one thing.

Captures are numbered from 1. `at` is an offset into the source, for messages.
"""

from __future__ import annotations

from rulesmith.value import Value


class Literal(Value):
    """These octets in a row; lower-cased where `fold` says that ASCII case does not matter."""

    octets: bytes
    fold: bool


class Set(Value):
    """One octet of a set: bit N of `mask` stands for octet N. Where case does not matter both cases are in it."""

    mask: int


class Sequence(Value):
    """One after the other; nothing at all for no items."""

    items: tuple[Node, ...]


class Choice(Value):
    """One of two or more, the first preferred."""

    branches: tuple[Node, ...]


class Repeat(Value):
    """`low` to `high` times; `high` None is without limit."""

    item: Node
    low: int
    high: int | None
    lazy: bool = False
    possessive: bool = False


class Group(Value):
    """Capture number `number`."""

    item: Node
    number: int


class Anchor(Value):
    """A place between two octets.

    line-start       start of the text, and behind every LF but the very last octet (PCRE2 `^`)
    any-line-start   start of the text, and behind every LF (POSIX `^`)
    line-end         end of the text, and before every LF
    text-start text-end
    last-line-end    end of the text, and before an LF that ends it
    edge inside      at, or not at, the edge of a word
    word-start word-end
    """

    kind: str


class Look(Value):
    """Look-around."""

    item: Node
    behind: bool
    negated: bool
    at: int


class Atomic(Value):
    """Once matched, never tried in another way."""

    item: Node


class BackReference(Value):
    """The text of a capture again; does not match while the capture is unset."""

    number: int
    fold: bool


class Conditional(Value):
    """`yes` where capture `number` is set, `no` where it is not."""

    number: int
    yes: Node
    no: Node


class Keep(Value):
    """`\\K`: the whole match (capture 0) starts here."""


Node = Literal | Set | Sequence | Choice | Repeat | Group | Anchor | Look | Atomic | BackReference | Conditional | Keep


class Parsed(Value):
    """A whole regexp. `groups` counts its captures; `in_order`: the tree has them once each, from left to right."""

    root: Node
    groups: int
    in_order: bool


NOTHING = Sequence(())


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside."""
    if isinstance(node, Sequence):
        return node.items
    if isinstance(node, Choice):
        return node.branches
    if isinstance(node, (Repeat, Group, Look, Atomic)):
        return (node.item,)
    if isinstance(node, Conditional):
        return (node.yes, node.no)
    return ()


def contains(node: Node, *kinds: type) -> bool:
    """Whether the node or one inside is of one of the kinds."""
    nodes = [node]
    while nodes:
        each = nodes.pop()
        if isinstance(each, kinds):
            return True
        nodes += children(each)
    return False


def count_groups(node: Node) -> int:
    """How many captures are written inside."""
    return isinstance(node, Group) + sum(count_groups(child) for child in children(node))


def without_groups(node: Node) -> Node:
    """The same without captures."""
    if isinstance(node, Group):
        return without_groups(node.item)
    if isinstance(node, Sequence):
        return Sequence(tuple([without_groups(item) for item in node.items]))
    if isinstance(node, Choice):
        return Choice(tuple([without_groups(branch) for branch in node.branches]))
    if isinstance(node, (Repeat, Look, Atomic)):
        return node.but(item=without_groups(node.item))
    if isinstance(node, Conditional):
        return node.but(yes=without_groups(node.yes), no=without_groups(node.no))
    return node


def sequence(items: list[Node]) -> Node:
    """The items one after the other, as simple as can be."""
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def choice(branches: list[Node]) -> Node:
    """One of the branches, as simple as can be."""
    return branches[0] if len(branches) == 1 else Choice(tuple(branches))
