"""POSIX extended regexps as glibc compiles them for fdm (REG_EXTENDED | REG_NEWLINE, C locale), as a tree."""

from __future__ import annotations

import re

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.octets import ALL, LOWER, NOT_LF, SPACE, UPPER, WORD
from rulesmith.regexp.posix_brackets import Brackets
from rulesmith.regexp.tree import (
    NOTHING,
    Anchor,
    BackReference,
    Group,
    Literal,
    Node,
    Parsed,
    Repeat,
    Set,
    choice,
    contains,
    sequence,
)

_RUN = re.compile(rb"[^\\^$.\[|()?*+{]+").match
_LETTER = re.compile(rb"[A-Za-z]").search
_COUNTS = re.compile(rb"(?:((?:[0-9]|\\0)+)|(?=\\?,))(?:(\\?,)((?:[0-9]|\\0)*))?\}")
_COUNT_END = re.compile(rb"\\?,|(?<!\\)\}")
_MOST = 32767
_DEPTH = 100

_ANCHORS = {
    60: "word-start",
    62: "word-end",
    98: "edge",
    66: "inside",
    96: "text-start",
    39: "text-end",
}
_SETS = {119: WORD, 87: ALL ^ WORD, 115: SPACE, 83: ALL ^ SPACE}
# With REG_NEWLINE `.` is neither LF nor NUL (RE_DOT_NOT_NULL).
DOT = NOT_LF & ~1


def parse_posix(source: bytes, case: bool) -> Parsed:
    """The tree of a POSIX regexp; RegexpError where glibc refuses it or it cannot be said here."""
    return PosixParser(source, case).parse()


class _Frame:
    __slots__ = ("at", "before", "branches", "complete", "items", "number")

    def __init__(self, at: int, number: int, complete: set[int]) -> None:
        self.at = at
        self.number = number
        self.branches: list[Node] = []
        self.items: list[Node] = []
        # Captures that a back-reference in any of the branches may name, and those complete in the branches so far.
        self.before = complete
        self.complete = set(complete)


class PosixParser:
    """One pass over the source with a stack of open parentheses."""

    __slots__ = (
        "at",
        "complete",
        "end",
        "fold",
        "frames",
        "groups",
        "in_order",
        "items",
        "original",
        "repeatable",
        "source",
    )

    def __init__(self, source: bytes, case: bool) -> None:
        self.original = source
        self.fold = not case
        self.source = source.upper() if self.fold else source
        self.at = 0
        # regcomp takes a C string.
        nul = source.find(b"\0")
        self.end = len(source) if nul < 0 else nul
        self.groups = 0
        self.complete: set[int] = set()
        self.frames = [_Frame(0, 0, set())]
        self.items = self.frames[0].items
        self.repeatable = False
        self.in_order = True

    def refused(self, text: str, at: int) -> RegexpError:
        """An error with glibc's own words, as fdm prints them: right behind the regexp."""
        return RegexpError(text, at, self.original.decode("utf-8", "surrogateescape") + text)

    def parse(self) -> Parsed:
        source = self.source[: self.end]
        while self.at < self.end:
            found = _RUN(source, self.at)
            if found:
                self.at = found.end()
                self._literal(self.original[found.start() : found.end()])
                continue
            octet = source[self.at]
            self.at += 1
            self._special(octet)
        if len(self.frames) > 1:
            raise self.refused("Unmatched ( or \\(", self.frames[-1].at)
        frame = self.frames[0]
        return Parsed(self._alternatives(frame), self.groups, self.in_order)

    def _add(self, node: Node, repeatable: bool = True) -> None:
        self.items.append(node)
        self.repeatable = repeatable

    def _literal(self, octets: bytes) -> None:
        fold = self.fold and _LETTER(octets) is not None
        if fold:
            octets = octets.lower()
        last = self.items[-1] if self.items else None
        if type(last) is Literal and self.repeatable:
            self.items[-1] = Literal(last.octets + octets, last.fold or fold)
        else:
            self.items.append(Literal(octets, fold))
        self.repeatable = True

    def _special(self, octet: int) -> None:
        start = self.at - 1
        if octet == 46:
            self._add(Set(DOT))
        elif octet == 40:
            self._open(start)
        elif octet == 41:
            self._close()
        elif octet == 124:
            self._next_branch()
        elif octet == 92:
            self._escape(start)
        elif octet == 91:
            brackets = Brackets(self.source[: self.end], self.original, self.at, self.fold)
            mask = brackets.read()
            self.at = brackets.at
            self._add(Set(self._unfolded(mask)))
        elif octet == 94:
            self._add(Anchor("any-line-start"), False)
        elif octet == 36:
            self._add(Anchor("line-end"), False)
        elif not self.repeatable:
            raise self.refused("Invalid preceding regular expression", start)
        elif octet == 123:
            self._braces(start)
        else:
            self._repeat(int(octet == 43), 1 if octet == 63 else None)

    def _unfolded(self, mask: int) -> int:
        """The octets whose upper case is in the set."""
        return mask & ~LOWER | (mask & UPPER) << 32 if self.fold else mask

    def _open(self, start: int) -> None:
        if len(self.frames) > _DEPTH:
            text = f"a nesting of more than {_DEPTH} parentheses cannot be used here (glibc takes it)"
            raise RegexpError(text, start)
        self.groups += 1
        self.frames.append(_Frame(start, self.groups, set(self.complete)))
        self.items = self.frames[-1].items
        self.repeatable = False

    def _close(self) -> None:
        if len(self.frames) == 1:
            self._literal(b")")
            return
        frame = self.frames.pop()
        self.items = self.frames[-1].items
        self._add(Group(self._alternatives(frame), frame.number))
        self.complete |= frame.complete
        self.complete.add(frame.number)

    def _next_branch(self) -> None:
        frame = self.frames[-1]
        frame.branches.append(sequence(frame.items))
        frame.items = self.items = []
        frame.complete |= self.complete
        self.complete = set(frame.before)
        self.repeatable = False

    def _alternatives(self, frame: _Frame) -> Node:
        branches = [*frame.branches, sequence(frame.items)]
        if len(branches) > 1 and _is_nothing(branches[0]) and not _is_nothing(branches[1]):
            # glibc follows the branch that comes first in its list of nodes, where what stands behind comes last.
            self.in_order = self.in_order and not contains(branches[0], Group)
            branches[:2] = branches[1], branches[0]
        return choice(branches)

    def _escape(self, start: int) -> None:
        if self.at >= self.end:
            raise self.refused("Trailing backslash", start)
        octet = self.original[self.at]
        self.at += 1
        if octet in _ANCHORS:
            self._add(Anchor(_ANCHORS[octet]), False)
        elif octet in _SETS:
            self._add(Set(_SETS[octet]))
        elif 49 <= octet <= 57:
            if octet - 48 not in self.complete:
                raise self.refused("Invalid back reference", start)
            self._add(BackReference(octet - 48, self.fold))
        elif self.fold and 97 <= octet <= 122:
            # glibc turns text and regexp to upper case, but not an escaped letter: a small one matches nothing.
            self._add(Set(0))
        else:
            self._literal(bytes((octet,)))

    def _braces(self, start: int) -> None:
        found = _COUNTS.match(self.source, self.at, self.end)
        if found is None:
            raise self.refused(self._what_is_wrong(), start)
        low_text, comma, high_text = found.groups()
        low = _count(low_text) if low_text else 0
        high = low if comma is None else _count(high_text) if high_text else None
        if high is not None and low > high:
            raise self.refused("Invalid content of \\{\\}", start)
        if (low if high is None else high) > _MOST:
            raise self.refused("Regular expression too big", start)
        self.at = found.end()
        self._repeat(low, high)

    def _what_is_wrong(self) -> str:
        """About braces that are none: glibc reads a count up to a comma or a closing brace, whatever comes."""
        first = _COUNT_END.search(self.source, self.at, self.end)
        if (
            first
            and first[0] in b"\\,"
            and self.source[self.at : first.start()].replace(b"\\0", b"").strip(b"0123456789") == b""
        ):
            first = _COUNT_END.search(self.source, first.end(), self.end)
        return "Invalid content of \\{\\}" if first else "Unmatched \\{"

    def _repeat(self, low: int, high: int | None) -> None:
        item = self.items.pop() if self.items else NOTHING
        if isinstance(item, Literal) and len(item.octets) > 1:
            self.items.append(Literal(item.octets[:-1], item.fold))
            item = Literal(item.octets[-1:], item.fold)
        self._add(Repeat(item, low, high))


def _count(digits: bytes) -> int:
    """The number, an escaped 0 being a 0; all that is too much is the same."""
    significant = digits.replace(b"\\", b"").lstrip(b"0") or b"0"
    return int(significant) if len(significant) < 6 else _MOST + 1


def _is_nothing(node: Node) -> bool:
    return node == NOTHING or (isinstance(node, Repeat) and node.high == 0)
