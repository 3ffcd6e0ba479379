"""Regexps that take more than linear time, decided on their automaton, and a text that shows it.

A matcher that tries one way after the other (PCRE2, which fdm uses) takes as many steps as there are ways. There are
too many where a loop can take a text and so can another loop behind it, or the same loop in two ways: each repeat of
the text doubles or adds ways. What the automaton says is tried by counting steps of such a matcher on texts of growing
length, and is told only where the count grows as it must.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rulesmith.lint.searches import parsed
from rulesmith.regexp.automaton import ENTER, LEAVE, MARK, SPLIT, TAKE, WHERE, Automaton
from rulesmith.regexp.octets import ALL, LF, WORD
from rulesmith.regexp.tree import (
    NOTHING,
    Atomic,
    BackReference,
    Choice,
    Conditional,
    Group,
    Keep,
    Look,
    Repeat,
    Sequence,
    Set,
    children,
    contains,
)

if TYPE_CHECKING:
    from typing import Any

    from rulesmith.regexp.tree import Node

# An automaton with more places is not looked at; nor are more pairs or triples of them.
_PLACES = 160
_TRIPLES = 60_000
# Steps after which the count is large enough to be called without end.
_STEPS = 60_000
# How often the text is repeated, once and once more, when steps are counted.
_EXPONENTIAL = ((3, 6), (5, 10), (8, 16), (24, 32))
_POLYNOMIAL = ((8, 16), (16, 32), (40, 80))
_LIKELY = b'01 <@.,-_/"=;:\t\n'


@dataclass(frozen=True, slots=True)
class Attack:
    """`start`, many times `pump`, then `end`: `degree` 2 is quadratic, 3 cubic, 0 exponential. `lines`: the loops run
    over line ends, so that the whole area counts and not one line. `steps` are those that were counted, by length."""

    start: bytes
    pump: bytes
    end: bytes
    degree: int
    lines: bool
    steps: tuple[tuple[int, int], ...]

    @property
    def growth(self) -> str:
        return {0: "exponential", 2: "quadratic", 3: "cubic"}.get(self.degree, f"of degree {self.degree}")


@lru_cache(maxsize=4096)
def attack(source: bytes, case: bool, dialect: str) -> Attack | None:
    """The text that makes a regexp slow; None for one that is not, and where nobody knows."""
    tree = parsed(source, case, dialect)
    if tree is None or _loops(tree.root) < 2:
        return None
    if contains(tree.root, Look, Atomic, BackReference, Conditional, Keep) or _possessive(tree.root):
        return None
    automaton = Automaton(tree, False)
    net = _Net(Automaton(tree.but(root=_short(tree.root)), False))
    if len(net.takers) > _PLACES:
        return None
    found = [*_exponential(net), *_polynomial(net), *_restarting(net, tree.root)]
    # PCRE2 tries a regexp that begins with .* only at the starts of lines.
    at_line_start = _begins_with_anything(tree.root)
    for start, pump, degree, lines in found[:6]:
        for end in (b"\x01", b"\n", b"", b"!\n"):
            steps = _counted(automaton, start, pump, end, degree, start == b"" and not at_line_start)
            if steps is not None:
                return Attack(start, pump, end, degree, lines, steps)
    return None


def _loops(node: Node) -> int:
    mine = isinstance(node, Repeat) and node.high is None
    if mine and (contains(children(node)[0], Repeat, Choice) or _takes_lines(node)):
        return 2
    inside = sum(_loops(child) for child in children(node))
    # Written out, a counted repeat is as many loops.
    return mine + inside * (2 if isinstance(node, Repeat) and node.high is not None and node.high > 1 else 1)


def _takes_lines(node: Node) -> bool:
    return isinstance(node, Repeat) and isinstance(node.item, Set) and bool(node.item.mask & LF)


def _short(node: Node) -> Node:
    """The same with counted repeats cut down to three: what they make slow, three make slow."""
    if isinstance(node, Repeat):
        high = None if node.high is None else min(node.high, 3)
        return node.but(item=_short(node.item), low=min(node.low, 3), high=high)
    if isinstance(node, Group):
        return node.but(item=_short(node.item))
    if isinstance(node, Sequence):
        return Sequence(tuple([_short(item) for item in node.items]))
    if isinstance(node, Choice):
        return Choice(tuple([_short(branch) for branch in node.branches]))
    return node


def _possessive(node: Node) -> bool:
    return (isinstance(node, Repeat) and node.possessive) or any(map(_possessive, children(node)))


class _Net:
    """The places that take an octet, and from each the places that may take the next one."""

    def __init__(self, automaton: Automaton) -> None:
        self.steps: list[Any] = list(automaton.steps)
        self.takers = [number for number, step in enumerate(self.steps) if step[0] == TAKE]
        self.mask = {number: int(self.steps[number][1]) for number in self.takers}
        self.after = {number: self._reach(self.steps[number][2]) for number in self.takers}
        self.first = self._reach(automaton.start)
        self.looping = {number for number in self.takers if self._returns(number)}
        self.mine = {number: self._everywhere(number) for number in self.takers}

    def _reach(self, number: int) -> dict[int, int]:
        """The takers that come next, each with the number of ways to it (two are as good as many)."""
        found: dict[int, int] = {}
        stack = [(number, frozenset[int]())]
        budget = 5000
        while stack and budget:
            budget -= 1
            at, seen = stack.pop()
            if at in seen:
                continue
            step = self.steps[at]
            kind = step[0]
            if kind == TAKE:
                found[at] = min(found.get(at, 0) + 1, 2)
                continue
            inner = seen | {at}
            if kind == SPLIT:
                stack.append((step[1], inner))
                if step[2] != step[1]:
                    stack.append((step[2], inner))
            elif kind in (MARK, WHERE):
                stack.append((step[2], inner))
            elif kind == ENTER:
                stack.append((step[1], inner))
            elif kind == LEAVE:
                stack += [(step[1], inner), (step[2], inner)] if step[1] != step[2] else [(step[1], inner)]
        return found

    def _returns(self, number: int) -> bool:
        return number in self._everywhere(number)

    def _everywhere(self, number: int) -> set[int]:
        seen: set[int] = set()
        stack = list(self.after[number])
        while stack:
            at = stack.pop()
            if at not in seen:
                seen.add(at)
                stack.extend(self.after[at])
        return seen

    def octet(self, mask: int) -> int:
        candidates: list[int] = [*range(97, 123), *_LIKELY]
        for likely in candidates:
            if mask >> likely & 1:
                return likely
        lowest: int = mask & -mask
        return lowest.bit_length() - 1

    def way_to(self, goal: int) -> bytes | None:
        """The shortest text behind which a taker is next."""
        waiting = deque([(number, b"") for number in self.first])
        seen = set(self.first)
        while waiting:
            at, text = waiting.popleft()
            if at == goal:
                return text
            for following in self.after[at]:
                if following not in seen:
                    seen.add(following)
                    waiting.append((following, text + bytes((self.octet(self.mask[at]),))))
        return None


Found = tuple[bytes, bytes, int, bool]


def _exponential(net: _Net) -> list[Found]:
    """A loop that can take the same text in two ways."""
    found: list[Found] = []
    for place in sorted(net.looping):
        text = _two_ways(net, place)
        start = net.way_to(place) if text else None
        if text and start is not None:
            found.append((start, text, 0, bool(net.mask[place] & LF)))
    return found


def _restarting(net: _Net, root: Node) -> list[Found]:
    """A loop over line ends right at the start: it is tried again from every place of a long run."""
    while isinstance(root, (Group, Sequence)):
        root = root.item if isinstance(root, Group) else root.items[0]
    if not _takes_lines(root) or not isinstance(root, Repeat) or not isinstance(root.item, Set):
        return []
    return [(b"", bytes((net.octet(root.item.mask),)), 2, True)]


def _begins_with_anything(node: Node) -> bool:
    while isinstance(node, (Group, Sequence)) and node != NOTHING:
        node = node.item if isinstance(node, Group) else node.items[0]
    return isinstance(node, Repeat) and node.high is None and isinstance(node.item, Set) and node.item.mask | LF == ALL


def _two_ways(net: _Net, place: int) -> bytes | None:
    """A text with two ways from a place back to it."""
    waiting = deque([(place, place, False, b"")])
    seen = {(place, place, False)}
    while waiting and len(seen) < _TRIPLES:
        one, other, apart, text = waiting.popleft()
        common = net.mask[one] & net.mask[other]
        if not common:
            continue
        longer = text + bytes((net.octet(common),))
        for following, ways in net.after[one].items():
            for its in net.after[other]:
                split = apart or following != its or (one == other and ways > 1)
                if following == its == place and split:
                    return longer
                key = (following, its, split)
                if key not in seen:
                    seen.add(key)
                    waiting.append((*key, longer))
    return None


def _polynomial(net: _Net) -> list[Found]:
    """Chains of loops of which each next one can go on with the text of the one before; the longest first."""
    pairs: dict[int, list[tuple[int, bytes]]] = {}
    looping = sorted(net.looping)
    for one in looping:
        for other in looping:
            if one != other and other in net.mine[one] and one not in net.mine[other]:
                text = _handed_over(net, one, other)
                if text is not None:
                    pairs.setdefault(one, []).append((other, text))
    found: list[Found] = []
    for one, others in pairs.items():
        start = net.way_to(one)
        for other, text in others:
            degree = 1 + _length(pairs, other, 0) + 1
            lines = bool(net.mask[one] & net.mask[other] & LF)
            if start is not None:
                found.append((start, text, degree, lines))
                if degree > 2:
                    found.append((start, text, 2, lines))
    return sorted(found, key=lambda each: (-each[2], not each[3]))


def _length(pairs: dict[int, list[tuple[int, bytes]]], place: int, depth: int) -> int:
    if depth > 6:
        return 0
    return max((1 + _length(pairs, other, depth + 1) for other, _ in pairs.get(place, ())), default=0)


def _handed_over(net: _Net, one: int, other: int) -> bytes | None:
    """A text that leads from one place to itself, from it to the other, and from the other to itself."""
    start = (one, one, other)
    waiting = deque([(start, b"")])
    seen = {start}
    while waiting and len(seen) < _TRIPLES:
        (first, second, third), text = waiting.popleft()
        common = net.mask[first] & net.mask[second] & net.mask[third]
        if not common:
            continue
        longer = text + bytes((net.octet(common),))
        for a in net.after[first]:
            for b in net.after[second]:
                for c in net.after[third]:
                    key = (a, b, c)
                    if key == (one, other, other):
                        return longer
                    if key not in seen:
                        seen.add(key)
                        waiting.append((key, longer))
    return None


def _counted(
    automaton: Automaton, start: bytes, pump: bytes, end: bytes, degree: int, everywhere: bool
) -> tuple[tuple[int, int], ...] | None:
    """The steps for two lengths where they grow as said; None where they do not."""
    for few, many in _EXPONENTIAL if degree == 0 else _POLYNOMIAL:
        counts = []
        for times in (few, many):
            text = start + pump * times + end
            counts.append((len(text), _all_steps(automaton, text, everywhere)))
        (_, first), (_, second) = counts
        if degree == 0:
            grows = second >= first * 20 or (second >= _STEPS and first < _STEPS // 8)
        else:
            # Doubled length: four times the steps for quadratic, eight times for cubic, less the part that is linear.
            grows = second >= first * (2**degree * 0.72) or (degree > 2 and second >= _STEPS > first * 4)
        if grows:
            return tuple(counts)
    return None


def _all_steps(automaton: Automaton, text: bytes, everywhere: bool) -> int:
    """The steps of a search: from the start of the text, and from each place behind it if that matters."""
    count = 0
    for begin in range(len(text) if everywhere else 1):
        steps, matched = _steps(automaton, text, begin, _STEPS - count)
        count += steps
        if matched or count >= _STEPS:
            break
    return count


def _steps(automaton: Automaton, text: bytes, begin: int, most: int) -> tuple[int, bool]:
    """How many steps a matcher takes that tries one way after the other from one place, and whether it matches."""
    steps: list[Any] = list(automaton.steps)
    count = 0
    stack: list[tuple[int, int, int]] = [(automaton.start, begin, -1)]
    while stack and count < most:
        number, at, entered = stack.pop()
        count += 1
        step = steps[number]
        kind = step[0]
        if kind == TAKE:
            if at < len(text) and step[1] >> text[at] & 1:
                stack.append((step[2], at + 1, entered))
        elif kind == SPLIT:
            if step[2] != step[1]:
                stack.append((step[2], at, entered))
            stack.append((step[1], at, entered))
        elif kind == MARK:
            stack.append((step[2], at, entered))
        elif kind == WHERE:
            if _is_at(step[1], text, at):
                stack.append((step[2], at, entered))
        elif kind == ENTER:
            stack.append((step[1], at, at))
        elif kind == LEAVE:
            stack.append((step[1], at, -1) if entered == at else (step[2], at, -1))
        else:
            return count, True  # nothing more is tried
    return count, False


def _is_at(anchor: str, text: bytes, at: int) -> bool:
    before = text[at - 1] if at else None
    after = text[at] if at < len(text) else None
    word_before = before is not None and bool(WORD >> before & 1)
    word_after = after is not None and bool(WORD >> after & 1)
    return {
        "line-start": before is None or (before == 10 and after is not None),
        "any-line-start": before is None or before == 10,
        "line-end": after is None or after == 10,
        "text-start": before is None,
        "text-end": after is None,
        "last-line-end": after is None or (after == 10 and at == len(text) - 1),
        "edge": word_before != word_after,
        "inside": word_before == word_after,
        "word-start": word_after and not word_before,
        "word-end": word_before and not word_after,
    }[anchor]
