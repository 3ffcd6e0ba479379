"""How far a regexp gets in a text in which it does not match.

Every way through the regexp is followed from every place; the nearest miss is the one that has the fewest octets left
to find, and among those the longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rulesmith.regexp.automaton import ENTER, LEAVE, MARK, MATCH, SPLIT, TAKE, WHERE, Automaton
from rulesmith.regexp.octets import WORD

if TYPE_CHECKING:
    from rulesmith.regexp.tree import Parsed

# Octets of a text that are searched: a second or two.
SEARCHED = 100_000
_FAR = 1 << 30
# What stands for a set of octets, the first that is in it.
_LIKELY = b"abcdefghijklmnopqrstuvwxyz0123456789 .@<>-_:;,/ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ANCHORS = {
    "line-start": "the start of a line",
    "any-line-start": "the start of a line",
    "line-end": "the end of the line",
    "text-start": "the start of the text",
    "text-end": "the end of the text",
    "last-line-end": "the end of the text",
    "edge": "the edge of a word",
    "inside": "the inside of a word",
    "word-start": "the start of a word",
    "word-end": "the end of a word",
}


@dataclass(frozen=True)
class Reach:
    """What matched lies from `start` to `end`; `missing` is the shortest text that would complete it.

    `anchor` names the place that would have to be at `end`, where that is what failed. `complete`: it matches.
    """

    start: int
    end: int
    missing: bytes
    anchor: str | None = None
    complete: bool = False


class _Search:
    def __init__(self, automaton: Automaton, text: bytes) -> None:
        self.steps: list[tuple[Any, ...]] = list(automaton.steps)
        self.text = text
        self.distance = _distances(self.steps)
        self.best: tuple[int, int] = (_FAR, 0)
        self.found: tuple[int, int, int] | None = None  # start, end, step
        self.complete = False

    def close(self, threads: dict[int, int], at: int) -> dict[int, int]:
        """The TAKE steps that can be reached here, each with the earliest start; notes the nearest miss."""
        takers: dict[int, int] = {}
        stack = list(threads.items())
        seen: dict[int, int] = {}
        while stack:
            number, start = stack.pop()
            if seen.get(number, _FAR) <= start:
                continue
            seen[number] = start
            step = self.steps[number]
            kind = step[0]
            if kind == MATCH:
                self.complete = True
                self.found = (start, at, number)
                return {}
            if kind == TAKE:
                self.note(number, start, at)
                takers[number] = start
            elif kind in (SPLIT, LEAVE):
                stack += ((step[1], start), (step[2], start))
            elif kind == WHERE:
                if is_at(step[1], self.text, at):
                    stack.append((step[2], start))
                else:
                    self.note(number, start, at)
            else:
                stack.append((step[2] if kind == MARK else step[1], start))
        return takers

    def note(self, number: int, start: int, at: int) -> None:
        reached = (self.distance[number], start - at)
        if reached < self.best:
            self.best = reached
            self.found = (start, at, number)


def reach(parsed: Parsed, posix: bool, text: bytes) -> Reach | None:
    """The nearest miss in the text, or the match; None where nothing can be said."""
    automaton = Automaton(parsed, posix)
    text = text[:SEARCHED]
    search = _Search(automaton, text)
    threads: dict[int, int] = {}
    for at in range(len(text) + 1):
        threads.setdefault(automaton.start, at)
        takers = search.close(threads, at)
        if search.complete or at == len(text):
            break
        octet = text[at]
        threads = {}
        for number, start in takers.items():
            _, mask, then = search.steps[number]
            if mask >> octet & 1 and threads.get(then, _FAR) > start:
                threads[then] = start
    if search.found is None or search.distance[search.found[2]] >= _FAR:
        return None
    start, end, number = search.found
    step = search.steps[number]
    anchor = step[1] if step[0] == WHERE else None
    return Reach(start, end, _shortest(search, number), anchor, search.complete)


def _distances(steps: list[tuple[Any, ...]]) -> list[int]:
    """The fewest octets from each step to the end."""
    distance = [0 if step[0] == MATCH else _FAR for step in steps]
    changed = True
    while changed:
        changed = False
        for number, step in enumerate(steps):
            near = min((distance[then] for then in _next(step)), default=distance[number])
            if step[0] == TAKE:
                near = near + 1 if step[1] else _FAR  # the empty set takes nothing
            if near < distance[number]:
                distance[number] = near
                changed = True
    return distance


def _next(step: tuple[Any, ...]) -> tuple[int, ...]:
    kind = step[0]
    if kind == MATCH:
        return ()
    if kind in (SPLIT, LEAVE):
        return step[1:3]
    return (step[1],) if kind == ENTER else (step[2],)


def _shortest(search: _Search, number: int) -> bytes:
    found = bytearray()
    while search.steps[number][0] != MATCH:
        step = search.steps[number]
        if step[0] == TAKE:
            found.append(_octet(step[1]))
        number = min(_next(step), key=lambda each: search.distance[each])
        if len(found) > 200:
            break
    return bytes(found)


def _octet(mask: int) -> int:
    return next((octet for octet in _LIKELY if mask >> octet & 1), (mask & -mask).bit_length() - 1)


def is_at(anchor: str, text: bytes, at: int) -> bool:
    """Whether a place is one that the anchor stands for (regexp/tree.py)."""
    end = at == len(text)
    behind_line_end = at > 0 and text[at - 1] == 10
    if anchor == "line-start":
        return at == 0 or (behind_line_end and not end)
    if anchor == "any-line-start":
        return at == 0 or behind_line_end
    if anchor == "line-end":
        return end or text[at] == 10
    if anchor == "text-start":
        return at == 0
    if anchor == "text-end":
        return end
    if anchor == "last-line-end":
        return end or (at == len(text) - 1 and text[at] == 10)
    before = at > 0 and bool(WORD >> text[at - 1] & 1)
    after = not end and bool(WORD >> text[at] & 1)
    if anchor == "edge":
        return before != after
    if anchor == "inside":
        return before == after
    return after and not before if anchor == "word-start" else before and not after
