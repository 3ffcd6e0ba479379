"""A regexp without look-around, back-references and atomic parts as a program of small steps.

A step is a tuple: its kind, then what the kind needs; `next` and the like are numbers of steps.

    (TAKE, mask, next)         one octet of a set
    (SPLIT, first, second)     both, the first preferred
    (MARK, mark, next)         a capture opens or closes here; see `mark`
    (WHERE, anchor, next)      only at such a place
    (ENTER, next)              an iteration begins that may take nothing
    (LEAVE, out, again)        it ends: out if it took nothing, else again
    (MATCH,)
"""

from __future__ import annotations

from rulesmith.regexp.tree import Anchor, Choice, Group, Keep, Literal, Node, Parsed, Repeat, Sequence, Set

TAKE, SPLIT, MARK, WHERE, ENTER, LEAVE, MATCH = range(7)
OPEN, CLOSE, CLOSE_OPTIONAL = range(3)
KEEP = -1  # the mark of \K

Step = tuple[int, ...] | tuple[int, str, int]


def mark(number: int, kind: int) -> int:
    """One number for a capture and what happens to it."""
    return number * 3 + kind


class Automaton:
    """`steps`, of which `start` is the first and no other leads to it."""

    __slots__ = ("anchors", "posix", "start", "steps")

    def __init__(self, parsed: Parsed, posix: bool) -> None:
        self.posix = posix
        self.steps: list[Step] = [(MATCH,)]
        self.anchors: set[str] = set()
        first = self._build(parsed.root, 0)
        self.start = self._add((SPLIT, first, first))

    def _add(self, step: Step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def _build(self, node: Node, then: int, copy: bool = False) -> int:
        """The number of the first step of a node behind which `then` follows.

        copy: one of the times a counted repeat is written out, but the first. glibc loses some marks in copies.
        """
        if isinstance(node, Literal):
            for octet in reversed(node.octets):
                mask = 1 << octet
                if node.fold and 97 <= octet <= 122:
                    mask |= mask >> 32
                then = self._add((TAKE, mask, then))
            return then
        if isinstance(node, Set):
            return self._add((TAKE, node.mask, then))
        if isinstance(node, Sequence):
            for item in reversed(node.items):
                then = self._build(item, then, copy)
            return then
        if isinstance(node, Choice):
            starts = [self._build(branch, then, copy) for branch in node.branches]
            first = starts.pop()
            while starts:
                first = self._add((SPLIT, starts.pop(), first))
            return first
        if isinstance(node, Group):
            return self._group(node, then, CLOSE, copy)
        if isinstance(node, Anchor):
            self.anchors.add(node.kind)
            return self._add((WHERE, node.kind, then))
        if isinstance(node, Keep):
            return self._add((MARK, KEEP, then))
        assert isinstance(node, Repeat)
        return self._posix_repeat(node, then, copy) if self.posix else self._repeat(node, then)

    def _group(self, node: Group, then: int, kind: int, copy: bool) -> int:
        inside = self._build(node.item, self._add((MARK, mark(node.number, kind), then)), copy)
        return self._add((MARK, mark(node.number, OPEN), inside))

    def _loop(self, item: Node, then: int, lazy: bool, copy: bool, kind: int) -> tuple[int, int]:
        """Any number of times: the first step where none is enough, and the first where one is wanted."""
        loop = self._add((MATCH,))  # overwritten below, when its ends are known
        empty = takes_nothing(item)
        back = self._add((LEAVE, then, loop)) if empty else loop
        body = self._group(item, back, kind, copy) if isinstance(item, Group) else self._build(item, back, copy)
        if empty:
            body = self._add((ENTER, body))
        self.steps[loop] = (SPLIT, then, body) if lazy else (SPLIT, body, then)
        return loop, body

    def _repeat(self, node: Repeat, then: int) -> int:
        """As PCRE2 has it: X{2,} is X and a loop over the second X; X{0,2} is (X(X)?)?."""
        copies = node.low
        first = then
        if node.high is None:
            loop, body = self._loop(node.item, then, node.lazy, False, CLOSE)
            first = body if copies else loop
            copies = max(copies - 1, 0)
        else:
            for _ in range(node.high - node.low):
                body = self._build(node.item, first)
                first = self._add((SPLIT, then, body) if node.lazy else (SPLIT, body, then))
        for _ in range(copies):
            first = self._build(node.item, first)
        return first

    def _posix_repeat(self, node: Repeat, then: int, copy: bool) -> int:
        """As glibc has it: X{2,} is XXX*; X{0,2} is (X?X)?. Of the optional times only the first is marked so."""
        item, again = node.item, copy or node.low > 0
        kind = CLOSE if copy else CLOSE_OPTIONAL
        first = then
        if node.high is None:
            first, _ = self._loop(item, then, False, again, kind)
        elif node.high > node.low:
            first = self._optional_times(item, then, node.high - node.low, again, kind)
        for number in range(node.low, 0, -1):
            first = self._build(item, first, copy or number > 1)
        return first

    def _optional_times(self, item: Node, then: int, times: int, copy: bool, kind: int) -> int:
        """((X?X)?X)?: built from the outermost, whose way out leads behind it all, to the innermost X?."""
        ways_out = [then]
        for _ in range(times - 1):
            ways_out.append(self._build(item, ways_out[-1], True))
        inner = ways_out[-1]
        first = self._build(item, inner, copy) if not isinstance(item, Group) else self._group(item, inner, kind, copy)
        for way_out in reversed(ways_out):
            first = self._add((SPLIT, first, way_out))
        return first


def takes_nothing(node: Node) -> bool:
    """Whether the node can match without taking an octet."""
    if isinstance(node, (Literal, Set)):
        return isinstance(node, Literal) and not node.octets
    if isinstance(node, Sequence):
        return all(takes_nothing(item) for item in node.items)
    if isinstance(node, Choice):
        return any(takes_nothing(branch) for branch in node.branches)
    if isinstance(node, Group):
        return takes_nothing(node.item)
    if isinstance(node, Repeat):
        return node.low == 0 or takes_nothing(node.item)
    return True
