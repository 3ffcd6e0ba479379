"""The automaton of a regexp made deterministic while it runs: one state is a list of threads.

Threads stand in the order in which a backtracking matcher would try them, so that the first that reaches the end
is the match it would find. A state remembers how its threads came from those of the state before: the captures are
read off backwards from the end of the match. Time is linear in the text but for the states that are new.
"""

from __future__ import annotations

from rulesmith.regexp.automaton import ENTER, LEAVE, MARK, SPLIT, TAKE, WHERE, Automaton
from rulesmith.regexp.octets import WORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # (mark, the marks before it), the latest first
    Marks = tuple[int, Any] | None
    # which thread of the state before, and the marks passed since
    Origin = tuple[int, Marks]

# What stood before a place, as far as anchors ask.
AT_START, BEHIND_LF, BEHIND_WORD, BEHIND_OTHER = range(4)

# Steps of work on new states in one search; about a second.
_WORK = 1_000_000
# New states beyond this many throw the old ones away.
_STATES = 4000
_WORD_ANCHORS = frozenset(("edge", "inside", "word-start", "word-end"))


class OutOfBounds(Exception):
    """The search would take too long or too much memory."""


class Alphabet:
    """Octets that no step of the automaton tells apart are one letter; `end` is the letter behind the text."""

    __slots__ = ("end", "final_lf", "representatives", "table")

    def __init__(self, automaton: Automaton) -> None:
        masks = {step[1] for step in automaton.steps if step[0] == TAKE}
        masks |= {1 << 10, WORD}
        letters: dict[tuple[bool, ...], int] = {}
        table = bytearray(256)
        self.representatives: list[int] = []
        for octet in range(256):
            signature = tuple([bool(mask >> octet & 1) for mask in masks if isinstance(mask, int)])
            letter = letters.get(signature)
            if letter is None:
                letter = letters[signature] = len(letters)
                self.representatives.append(octet)
            table[octet] = letter
        self.table = bytes(table)
        self.final_lf = len(letters)  # an LF that ends the text
        self.representatives.append(10)
        self.end = self.final_lf + 1

    def letters(self, text: bytes) -> Letters:
        """The text in letters, without the end."""
        return Letters(text, self.table, self.final_lf)


class Letters:
    """A text in letters, made piece by piece: a copy of all of it would be the largest thing in memory."""

    __slots__ = ("_final", "_table", "_text")

    def __init__(self, text: bytes, table: bytes, final_lf: int) -> None:
        self._text = text
        self._table = table
        self._final = len(text) - 1 if text.endswith(b"\n") else -1, final_lf

    def __len__(self) -> int:
        return len(self._text)

    def at(self, place: int) -> int:
        final, letter = self._final
        return letter if place == final else self._table[self._text[place]]

    def piece(self, start: int, end: int) -> bytes:
        """The letters from `start` to before `end`."""
        final, letter = self._final
        if start <= final < end:
            return self._text[start:final].translate(self._table) + bytes((letter,))
        return self._text[start:end].translate(self._table)


class State:
    """`threads` are numbers of steps; `following`, `origins` and `matches` are filled letter by letter."""

    __slots__ = ("behind", "following", "matches", "origins", "threads")

    def __init__(self, threads: tuple[int, ...], behind: int, letters: int) -> None:
        self.threads = threads
        self.behind = behind
        self.following: list[State | None] = [None] * letters
        self.origins: list[tuple[Origin, ...] | None] = [None] * letters
        self.matches: dict[int, Origin] = {}


class Machine:
    """Runs one automaton.

    seeking: new threads begin at every place until a match is found.
    first:   a match ends all threads that come after it in order (Perl); else the longest match is sought (POSIX).
    """

    __slots__ = ("alphabet", "automaton", "count", "first", "seeking", "states", "watch", "work")

    def __init__(self, automaton: Automaton, alphabet: Alphabet, seeking: bool, first: bool) -> None:
        self.automaton = automaton
        self.alphabet = alphabet
        self.seeking = seeking
        self.first = first
        self.count = alphabet.end + 1
        self.states: dict[tuple[tuple[int, ...], int], State] = {}
        self.work = 0
        self.watch = bool(automaton.anchors & _WORD_ANCHORS), bool(automaton.anchors)

    def behind(self, octet: int | None) -> int:
        """What stands before a place behind that octet (None: the start of the text)."""
        words, any_anchor = self.watch
        if not any_anchor:
            return BEHIND_OTHER
        if octet is None:
            return AT_START
        if octet == 10:
            return BEHIND_LF
        return BEHIND_WORD if words and WORD >> octet & 1 else BEHIND_OTHER

    def state(self, threads: tuple[int, ...], behind: int) -> State:
        key = threads, behind
        found = self.states.get(key)
        if found is None:
            if len(self.states) > _STATES:
                self.states.clear()
            found = self.states[key] = State(threads, behind, self.count)
        return found

    def step(self, state: State, letter: int) -> State:
        """The state behind `letter`; also fills in the origins of its threads and the match before the letter."""
        takers, match = self._close(state, letter)
        if match is not None:
            state.matches[letter] = match
        if letter == self.alphabet.end:
            following = self.state((), BEHIND_OTHER)
            state.origins[letter] = ()
        else:
            octet = self.alphabet.representatives[letter]
            threads: dict[int, Origin] = {}
            for mask, then, origin in takers:
                if mask >> octet & 1 and then not in threads:
                    threads[then] = origin
            if self.seeking and self.automaton.start in state.threads and match is None:
                threads[self.automaton.start] = (-1, None)
            following = self.state(tuple(threads), self.behind(octet))
            state.origins[letter] = tuple(threads.values())
        state.following[letter] = following
        return following

    def _close(self, state: State, letter: int) -> tuple[list[tuple[int, int, Origin]], Origin | None]:
        """All that can be reached without taking an octet: (mask, step behind, origin) in order, and the match."""
        steps = self.automaton.steps
        takers: list[tuple[int, int, Origin]] = []
        match: Origin | None = None
        seen: set[tuple[int, int]] = set()
        for index, thread in enumerate(state.threads):
            # (step, iterations entered since an octet was taken, marks)
            stack: list[tuple[int, int, Marks]] = [(thread, 0, None)]
            while stack:
                number, entered, marks = stack.pop()
                if (number, entered) in seen:
                    continue
                seen.add((number, entered))
                step: tuple[Any, ...] = steps[number]
                kind = step[0]
                if kind == TAKE:
                    takers.append((step[1], step[2], (index, marks)))
                elif kind == SPLIT:
                    stack.append((step[2], entered, marks))
                    stack.append((step[1], entered, marks))
                elif kind == MARK:
                    stack.append((step[2], entered, (step[1], marks)))
                elif kind == WHERE:
                    if self._is_at(step[1], state.behind, letter):
                        stack.append((step[2], entered, marks))
                elif kind == ENTER:
                    stack.append((step[1], entered + 1, marks))
                elif kind == LEAVE:
                    stack.append((step[1], entered - 1, marks) if entered else (step[2], 0, marks))
                elif match is None:
                    match = index, marks
                    if self.first:
                        stack.clear()
                        break
            if match is not None and self.first:
                break
        self.work += len(seen)
        if self.work > _WORK:
            raise OutOfBounds("too many states")
        return takers, match

    def _is_at(self, anchor: str, behind: int, letter: int) -> bool:
        end = letter == self.alphabet.end
        octet = 0 if end else self.alphabet.representatives[letter]
        if anchor == "line-start":
            return behind == AT_START or (behind == BEHIND_LF and not end)
        if anchor == "any-line-start":
            return behind in (AT_START, BEHIND_LF)
        if anchor == "line-end":
            return end or octet == 10
        if anchor == "text-start":
            return behind == AT_START
        if anchor == "text-end":
            return end
        if anchor == "last-line-end":
            return end or letter == self.alphabet.final_lf
        before, after = behind == BEHIND_WORD, not end and bool(WORD >> octet & 1)
        if anchor == "edge":
            return before != after
        if anchor == "inside":
            return before == after
        return after and not before if anchor == "word-start" else before and not after
