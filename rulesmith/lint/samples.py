"""Short texts in which a regexp is found, read off its tree: a quick way to see that another is not always there."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from rulesmith.lint.searches import parsed
from rulesmith.regexp.tree import Choice, Group, Literal, Repeat, Sequence, Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.regexp.tree import Node

_MOST = 8
# What stands for a set of octets, the first that is in it.
_LIKELY = b"qxz7Q-.@ <>\"'()/:;,!#"


@lru_cache(maxsize=4096)
def samples(source: bytes, case: bool, dialect: str) -> tuple[bytes, ...]:
    """Header lines with a match each; none where the tree does not say how to make one."""
    tree = parsed(source, case, dialect)
    if tree is None:
        return ()
    lines = []
    for text in islice(_texts(tree.root), _MOST):
        if text is not None:
            lines += [text + b"\n", b"Qzx: " + text + b" qzx\n"]
    from rulesmith.regexp.lower import lower  # noqa: PLC0415 — not before a sample is asked for
    from rulesmith.regexp.search import search  # noqa: PLC0415

    pattern = lower(source, case, dialect)
    return tuple(line for line in lines if search(pattern, line, line.lower()) is not None)


def _texts(node: Node) -> Iterator[bytes]:
    if isinstance(node, Literal):
        yield node.octets
    elif isinstance(node, Set):
        likely = [octet for octet in _LIKELY if node.mask >> octet & 1]
        octets = likely or [octet for octet in range(256) if node.mask >> octet & 1]
        yield from (bytes((octet,)) for octet in octets[:1])
    elif isinstance(node, Group):
        yield from _texts(node.item)
    elif isinstance(node, Choice):
        for branch in node.branches:
            yield from _texts(branch)
    elif isinstance(node, Repeat):
        for text in _texts(node.item) if node.low else (b"",):
            yield text * node.low
        if not node.low and node.high != 0:
            yield from islice(_texts(node.item), 1)
    elif isinstance(node, Sequence):
        yield from _sequence(node.items)
    else:
        yield b""


def _sequence(items: tuple[Node, ...]) -> Iterator[bytes]:
    if not items:
        yield b""
        return
    heads = list(islice(_texts(items[0]), _MOST))
    rests = list(islice(_sequence(items[1:]), _MOST))
    if not heads or not rests:
        return
    # Every head with the first rest, then every rest with the first head.
    for head in heads:
        yield head + rests[0]
    for rest in rests[1:]:
        yield heads[0] + rest
