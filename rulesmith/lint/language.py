"""Questions about all texts that a regexp is found in, answered on its automaton: is there one, and is it always one
that another regexp is found in as well.

A text is an area of a message: `headers` are lines that begin with a field name and are unfolded, `any` is such lines,
an empty one and then anything, `body` is anything.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING

from rulesmith.effects import Failure
from rulesmith.lint.samples import samples
from rulesmith.lint.searches import parsed
from rulesmith.regexp.automaton import TAKE, Automaton
from rulesmith.regexp.machine import Alphabet, Machine, OutOfBounds, State
from rulesmith.regexp.search import LINEAR, search
from rulesmith.regexp.tree import Atomic, BackReference, Conditional, Keep, Look, Parsed, contains

if TYPE_CHECKING:
    from rulesmith.program import Pattern

# Pairs of states that are looked at before the answer is "nobody knows".
_MOST = 6000

# Where a text stands: at the start of a header line, in its name, in its value, in the body.
_LINE, _NAME, _VALUE, _BODY = range(4)


class Undecided(Exception):
    """It would take too long to know."""


class _Area:
    """Which texts there are. `folded` lets lines begin with a blank, `nameless` lets them have no field name."""

    def __init__(self, name: str, folded: bool = False, nameless: bool = False, returns: bool = True) -> None:
        self.start = _BODY if name == "body" else _LINE
        self.body = name == "any"
        self.folded = folded
        self.nameless = nameless
        self.returns = returns

    def after(self, state: int, octet: int) -> int | None:
        if octet == 13 and not self.returns:
            return None
        if state == _BODY:
            return _BODY
        if octet == 10:
            if state == _LINE:
                return _BODY if self.body else None
            return _LINE if state == _VALUE or self.nameless else None
        if state == _VALUE:
            return _VALUE
        if state == _LINE and octet in b" \t":
            return _VALUE if self.folded else (_VALUE if self.nameless else None)
        if self.nameless and state == _LINE:
            return _VALUE
        if octet == 58:
            return _VALUE if state != _LINE else None
        return _NAME if 32 < octet < 127 else None

    def has(self, text: bytes) -> bool:
        """Whether a text that ends with a line feed is one."""
        state: int | None = self.start
        for octet in text[:-1]:
            state = None if state is None else self.after(state, octet)
        return state is not None and self.ends(state)

    def ends(self, state: int) -> bool:
        """Whether a text may end with a line feed here."""
        return state in (_LINE, _VALUE, _BODY)


class _Letters:
    """Makes one alphabet of several automata."""

    def __init__(self, *automata: Automaton) -> None:
        self.steps = [step for automaton in automata for step in automaton.steps]
        for octets in (b":", b" \t", b"\r", bytes(range(33, 127))):
            self.steps.append((TAKE, sum(1 << octet for octet in octets), 0))


class _Finder:
    def __init__(self, automaton: Automaton, alphabet: Alphabet) -> None:
        self.machine = Machine(automaton, alphabet, seeking=True, first=False)
        self.start = self.machine.state((automaton.start,), self.machine.behind(None))
        self.known: dict[tuple[int, int], State | None] = {}
        self.kept: list[State] = []

    def after(self, state: State | None, letter: int) -> State | None:
        """The state behind a letter; None once there was a match, and for ever after."""
        if state is None:
            return None
        key = (id(state), letter)
        if key not in self.known:
            following = self.machine.step(state, letter)
            if letter in state.matches:
                self.known[key] = None
            else:
                self.known[key] = self.machine.state(tuple(sorted(following.threads)), following.behind)
            self.kept.append(state)
        return self.known[key]

    def found_at_end(self, state: State | None) -> bool:
        return state is None or self.after(state, self.machine.alphabet.end) is None


@lru_cache(maxsize=4096)
def _automaton(source: bytes, case: bool, dialect: str) -> Automaton | None:
    tree = parsed(source, case, dialect)
    if tree is None or _is_irregular(tree):
        return None
    return Automaton(tree, dialect == "posix")


def _is_irregular(tree: Parsed) -> bool:
    return contains(tree.root, Look, Atomic, BackReference, Conditional, Keep)


@lru_cache(maxsize=4096)
def _texts(source: bytes, case: bool, dialect: str, area: str) -> list[tuple[bytes, bytes]]:
    """Texts of the area that a regexp is found in, some of many, and each in lower case."""
    there = _Area(area)
    return [(text, text.lower()) for text in samples(source, case, dialect) if there.has(text)]


@lru_cache(maxsize=100_000)
def is_contained(one: Pattern, other: Pattern, area: str) -> bool:
    """Whether wherever one is found in a text of the area, the other is found as well; False for "cannot tell"."""
    if one[:1] + one[4:] == other[:1] + other[4:]:
        return True
    if not one[0] or not other[0] or one[1] is None or other[1] is None:
        return False
    try:
        texts = _texts(one[0], one[5], one[4], area)
        if not texts or any(search(other, *text) is None for text in texts):
            return False
    except Failure:
        return False
    first, second = _automaton(one[0], one[5], one[4]), _automaton(other[0], other[5], other[4])
    if first is None or second is None or not (one[2] & LINEAR and other[2] & LINEAR):
        return False
    try:
        return _explore(first, second, _Area(area)) is False
    except (Undecided, OutOfBounds):
        return False


def why_never(pattern: Pattern, area: str) -> str | None:
    """Why a regexp is found in no text of an area; None where it is found, and where nobody knows."""
    if any(_Area(area).has(text) for text in samples(pattern[0], pattern[5], pattern[4])):
        return None
    automaton = _automaton(pattern[0], pattern[5], pattern[4])
    if automaton is None or not pattern[2] & LINEAR:
        return None
    try:
        if _explore(automaton, None, _Area(area)):
            return None
        if not _explore(automaton, None, _Area("body")):
            return "no text at all has it, because of where its ^ or $ stand"
        if _explore(automaton, None, _Area(area, folded=True)):
            return "a folded header line is one line here, so that no line begins with a blank"
        if _explore(automaton, None, _Area(area, nameless=True)):
            return "no header line begins like this: a name comes first, and a colon behind it"
        return "an empty line ends the headers"
    except (Undecided, OutOfBounds):
        return None


def needs_return(pattern: Pattern) -> bool:
    """Whether a regexp is found only in texts with a carriage return."""
    automaton = _automaton(pattern[0], pattern[5], pattern[4])
    if automaton is None or not pattern[2] & LINEAR:
        return False
    try:
        return bool(_explore(automaton, None, _Area("body"))) and not _explore(
            automaton, None, _Area("body", returns=False)
        )
    except (Undecided, OutOfBounds):
        return False


def _explore(one: Automaton, other: Automaton | None, area: _Area) -> bool:
    """Whether there is a text of the area in which one is found and the other is not."""
    alphabet = Alphabet(_Letters(one, *(() if other is None else (other,))))  # type: ignore[arg-type]
    seeker = _Finder(one, alphabet)
    avoider = None if other is None else _Finder(other, alphabet)
    start = (seeker.start, None if avoider is None else avoider.start, area.start)
    seen: set[tuple[int, int, int]] = set()
    waiting = deque([start])
    letters = [letter for letter in range(len(alphabet.representatives)) if letter != alphabet.final_lf]
    while waiting:
        mine, its, place = waiting.popleft()
        if area.ends(place) or place == _BODY:
            # The last line end is a letter of its own, and the text of a body may lack it.
            ends = [alphabet.final_lf] if place != _BODY else [alphabet.final_lf, alphabet.end]
            for letter in ends:
                if _is_witness(seeker, avoider, mine, its, letter, alphabet.end):
                    return True
        for letter in letters:
            following = area.after(place, alphabet.representatives[letter])
            if following is None:
                continue
            theirs = None
            if avoider is not None:
                theirs = avoider.after(its, letter)
                if theirs is None:
                    continue
            ours = seeker.after(mine, letter)
            if ours is None and avoider is None:
                return True  # what has begun as a text of the area can be ended as one
            key = (id(ours), id(theirs), following)
            if key not in seen:
                seen.add(key)
                if len(seen) > _MOST:
                    raise Undecided
                waiting.append((ours, theirs, following))  # type: ignore[arg-type]
    return False


def _is_witness(
    seeker: _Finder, avoider: _Finder | None, mine: State | None, its: State | None, letter: int, end: int
) -> bool:
    """Whether a text that goes on with this letter, and ends there, has the one and not the other."""
    if letter != end:
        mine = seeker.after(mine, letter)
        if avoider is not None:
            its = avoider.after(its, letter)
            if its is None:
                return False
    return seeker.found_at_end(mine) and not (avoider is not None and avoider.found_at_end(its))
