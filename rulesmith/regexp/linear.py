"""Search in time linear in the text, for the few searches that `re` does not end in time or does not do right.

Three passes, each only if the one before asks for it: is there a match at all; where does the leftmost one start
and how does Perl's order run through it; with POSIX, what is the longest from there.
"""

from __future__ import annotations

from rulesmith.regexp.automaton import CLOSE_OPTIONAL, KEEP, OPEN, Automaton
from rulesmith.regexp.lower import parse
from rulesmith.regexp.machine import Alphabet, Machine, OutOfBounds, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.program import Pattern
    from rulesmith.regexp.machine import Letters, Marks

# Letters between two states that are kept; the rest is run again when the captures are read off.
_CHUNK = 1 << 14
# Marks in one match, which POSIX captures need all of.
_MARKS = 500_000

_prepared: dict[tuple[bytes, bool, str], tuple[Automaton, Alphabet, int]] = {}


def search_linearly(pattern: Pattern, text: bytes) -> tuple[bytes, ...] | None:
    """The octets of captures 0 to 9 as search.search gives them; OutOfBounds when it becomes too large."""
    found = _spans(pattern, text)
    if found is None:
        return None
    spans, groups = found
    return tuple([text[slice(*spans.get(number, (0, 0)))] for number in range(min(groups, 9) + 1)])


def start_linearly(pattern: Pattern, text: bytes) -> int | None:
    """Where the match of `search_linearly` begins; OutOfBounds as there."""
    found = _spans(pattern, text)
    return None if found is None else found[0][0][0]


def _spans(pattern: Pattern, text: bytes) -> tuple[dict[int, tuple[int, int]], int] | None:
    """The captures that are set, and how many the regexp has."""
    source, _, _, _, dialect, case, _ = pattern
    automaton, alphabet, groups = _prepare(source, case, dialect)
    letters = alphabet.letters(text)
    if not _is_match(automaton, alphabet, letters):
        return None
    run = _Run(Machine(automaton, alphabet, seeking=True, first=True), letters, 0, None)
    start, end, marks = run.match()
    if dialect == "posix":
        before = text[start - 1] if start else None
        run = _Run(Machine(automaton, alphabet, seeking=False, first=False), letters, start, before)
        start, end, marks = run.match()
        spans = _posix_captures(marks)
    else:
        spans = _perl_captures(marks)
    spans[0] = spans.pop(KEEP, (start, end))[0], end
    return spans, groups


def _prepare(source: bytes, case: bool, dialect: str) -> tuple[Automaton, Alphabet, int]:
    key = source, case, dialect
    if key not in _prepared:
        parsed = parse(source, case, dialect)
        automaton = Automaton(parsed, dialect == "posix")
        _prepared[key] = automaton, Alphabet(automaton), parsed.groups
    return _prepared[key]


def _is_match(automaton: Automaton, alphabet: Alphabet, letters: Letters) -> bool:
    """Whether there is any match. A transition behind which there is one is never stored, so the loop stays small."""
    machine = Machine(automaton, alphabet, seeking=True, first=False)
    state = machine.state((automaton.start,), machine.behind(None))
    for start in range(0, len(letters), _CHUNK):
        for letter in letters.piece(start, start + _CHUNK):
            following = state.following[letter]
            if following is None:
                following = machine.step(state, letter)
                if letter in state.matches:
                    return True
                # The order of the threads does not matter here, and without it there are fewer states.
                following = machine.state(tuple(sorted(following.threads)), following.behind)
                state.following[letter] = following
            state = following
    machine.step(state, alphabet.end)
    return alphabet.end in state.matches


class _Run:
    """One run of a machine from `start`, ended where no thread is left; then its last match, read backwards."""

    def __init__(self, machine: Machine, letters: Letters, start: int, before: int | None) -> None:
        self.machine = machine
        self.letters = letters
        self.start = start
        self.kept: list[State] = []
        self.found = -1
        self.state = self.final = machine.state((machine.automaton.start,), machine.behind(before))
        at = start
        while at < len(letters) and self.state.threads:
            self.kept.append(self.state)
            at = self._advance(at, min(at + _CHUNK, len(letters)))
        if at == len(letters) and self.state.threads:
            end = machine.alphabet.end
            machine.step(self.state, end)
            if end in self.state.matches:
                self.found, self.final = at, self.state

    def _advance(self, at: int, end: int) -> int:
        state, step = self.state, self.machine.step
        start = at
        for at, letter in enumerate(self.letters.piece(start, end), start):  # noqa: PLR1704
            following = state.following[letter]
            if following is None:
                following = step(state, letter)
            if letter in state.matches:
                self.found, self.final = at, state
            state = following
            if not state.threads:
                break
        self.state = state
        return at + 1

    def match(self) -> tuple[int, int, list[tuple[int, int]]]:
        """Start and end of the last match, and its marks with their places, the last first."""
        at, state = self.found, self.final
        alphabet = self.machine.alphabet
        letter = self.letters.at(at) if at < len(self.letters) else alphabet.end
        thread, marks = state.matches[letter]
        passed = _listed(marks, at, [])
        trail: list[State] = []
        trail_start = at
        while state.threads[thread] != self.machine.automaton.start:
            if at == trail_start:
                trail_start = self.start + (at - 1 - self.start) // _CHUNK * _CHUNK
                trail = self._trail(trail_start, at)
            at -= 1
            state = trail[at - trail_start]
            letter = self.letters.at(at)
            if state.origins[letter] is None:
                self.machine.step(state, letter)
            origins = state.origins[letter]
            assert origins is not None
            thread, marks = origins[thread]
            if marks is not None:
                _listed(marks, at, passed)
        return at, self.found, passed

    def _trail(self, start: int, end: int) -> list[State]:
        """The states before each letter from `start`, the start of a chunk, up to `end`."""
        state = self.kept[(start - self.start) // _CHUNK]
        trail = []
        for letter in self.letters.piece(start, end):
            trail.append(state)
            state = state.following[letter] or self.machine.step(state, letter)
        return trail


def _listed(marks: Marks, at: int, passed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    while marks is not None:
        passed.append((marks[0], at))
        marks = marks[1]
    if len(passed) > _MARKS:
        raise OutOfBounds("too many captures")
    return passed


def _perl_captures(marks: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """A capture is what its group took the last time it was left."""
    ends: dict[int, int] = {}
    spans: dict[int, tuple[int, int]] = {}
    for mark, at in marks:
        if mark == KEEP:
            spans.setdefault(KEEP, (at, at))
            continue
        number, kind = divmod(mark, 3)
        if kind == OPEN:
            if number in ends:
                spans.setdefault(number, (at, ends[number]))
        else:
            ends.setdefault(number, at)
    return spans


def _posix_captures(marks: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """As glibc does (update_regs): an optional time that takes nothing brings back what was before it."""
    spans: dict[int, tuple[int, int]] = {}
    before: dict[int, tuple[int, int]] = {}
    for mark, at in reversed(marks):
        number, kind = divmod(mark, 3)
        if kind == OPEN:
            spans[number] = at, -1
        elif spans[number][0] < at:
            spans[number] = spans[number][0], at
            before = dict(spans)
        elif kind == CLOSE_OPTIONAL and number in before:
            spans = dict(before)
        else:
            spans[number] = at, at
    return {number: span for number, span in spans.items() if span[1] >= 0}


__all__ = ["OutOfBounds", "search_linearly", "start_linearly"]
