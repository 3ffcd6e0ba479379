"""PCRE2 regexps as fdm compiles them: no UTF, no UCP, multi-line (pcre2pattern(3), pcre2syntax(3)), as a tree."""

from __future__ import annotations

import re

from rulesmith.regexp.octets import ALL, NOT_LF, SPACE, mask_of
from rulesmith.regexp.pcre_class import ClassReader, posix_end
from rulesmith.regexp.pcre_escape import read_escape
from rulesmith.regexp.pcre_frame import Frame, close
from rulesmith.regexp.pcre_group import open_parenthesis
from rulesmith.regexp.pcre_reader import DOT_ALL, EXTENDED, IGNORE_CASE, MULTILINE, UNGREEDY, Reader
from rulesmith.regexp.pcre_repeat import read_counts
from rulesmith.regexp.tree import (
    Anchor,
    Atomic,
    BackReference,
    Choice,
    Keep,
    Literal,
    Look,
    Node,
    Parsed,
    Repeat,
    Sequence,
    Set,
    choice,
    sequence,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.regexp.error import RegexpError

_RUN = re.compile(rb"[^\\^$.\[|()?*+{]+").match
_EXTENDED_RUN = re.compile(rb"[^\\^$.\[|()?*+{# \t-\r\x85]+").match
_LETTER = re.compile(rb"[A-Za-z]").search
# White space that (?x) skips: isspace() and NEL.
_SKIPPED = SPACE | 1 << 0x85
_LOOKS = ("look", "condition assertion")
# A regexp nested deeper would take more stack than Python gives; PCRE2 stops at 250.
_DEPTH = 100

_ANCHORS = {65: "text-start", 71: "text-start", 90: "last-line-end", 122: "text-end", 98: "edge", 66: "inside"}
_LINE_END = Atomic(Choice((Literal(b"\r\n", False), Set(mask_of(b"\n\v\f\r\x85")))))
# Without UTF a grapheme is CRLF or one octet: no octet extends another.
_GRAPHEME = Atomic(Choice((Literal(b"\r\n", False), Set(ALL))))
_OTHERS: dict[int, Node] = {82: _LINE_END, 88: _GRAPHEME, 67: Set(ALL)}


def parse_pcre(source: bytes, case: bool) -> Parsed:
    """The tree of a PCRE2 regexp; RegexpError where PCRE2 refuses it or it cannot be said here."""
    return PcreParser(source, case).parse()


class PcreParser:
    """One pass over the source with a stack of open parentheses (no recursion: the depth is the writer's)."""

    __slots__ = ("early", "frames", "items", "late", "quantified", "reader", "repeatable")

    def __init__(self, source: bytes, case: bool) -> None:
        self.reader = Reader(source, MULTILINE | (0 if case else IGNORE_CASE))
        self.frames = [Frame("top", 0, self.reader.flags)]
        self.items = self.frames[0].items
        self.repeatable = False  # may a quantifier follow?
        self.quantified = False  # was the last item a quantifier, so that ? or + changes it?
        self.early: list[tuple[int | bytes, int]] = []  # references to captures not complete yet
        self.late: list[RegexpError] = []  # what PCRE2 finds only when all of the syntax is right

    def parse(self) -> Parsed:
        reader, source, end = self.reader, self.reader.source, self.reader.end
        while reader.at < end:
            found = (_EXTENDED_RUN if reader.flags & EXTENDED else _RUN)(source, reader.at)
            if found:
                reader.at = found.end()
                self.literal(found[0])
                continue
            octet = source[reader.at]
            reader.at += 1
            if self._ignored(octet):
                continue
            self._special(octet)
        if len(self.frames) > 1:
            raise reader.refused("missing closing parenthesis", self.frames[-1].at)
        frame = self.frames[0]
        root = choice([*frame.branches, sequence(frame.items)])
        self._check_references()
        if self.late:
            raise self.late[0]
        return Parsed(root, reader.highest, len(reader.numbers) == reader.highest)

    def add(self, node: Node, repeatable: bool) -> None:
        self.items.append(node)
        self.repeatable = repeatable
        self.quantified = False

    def literal(self, octets: bytes) -> None:
        """Plain octets, joined to those before them."""
        fold = bool(self.reader.flags & IGNORE_CASE) and _LETTER(octets) is not None
        if fold:
            octets = octets.lower()
        last = self.items[-1] if self.items else None
        if type(last) is Literal and (last.fold == fold or not _LETTER(octets) or not _LETTER(last.octets)):
            self.items[-1] = Literal(last.octets + octets, last.fold or fold)
        else:
            self.items.append(Literal(octets, fold))
        self.repeatable = True
        self.quantified = False

    def push(self, frame: Frame) -> None:
        if len(self.frames) > _DEPTH:
            raise self.reader.cannot(f"a nesting of more than {_DEPTH} parentheses", frame.at)
        self.frames.append(frame)
        self.items = frame.items
        self.repeatable = self.quantified = False

    def _ignored(self, octet: int) -> bool:
        """Skip what leaves a quantifier's place alone: \\Q \\E, comments, white space under (?x)."""
        reader = self.reader
        if octet == 92 and reader.at < reader.end and reader.source[reader.at] in b"QE":
            reader.at += 1
            if reader.source[reader.at - 1] == 81:
                end = reader.source.find(b"\\E", reader.at)
                quoted = reader.source[reader.at : end if end >= 0 else reader.end]
                reader.at += len(quoted) + (2 if end >= 0 else 0)
                if quoted:
                    self.literal(quoted)
            return True
        if reader.flags & EXTENDED:
            if _SKIPPED >> octet & 1:
                return True
            if octet == 35:
                end = reader.source.find(b"\n", reader.at)
                reader.at = end + 1 if end >= 0 else reader.end
                return True
        if octet == 40 and reader.looking_at(b"?#"):
            end = reader.source.find(b")", reader.at + 2)
            if end < 0:
                raise reader.refused("missing ) after (?# comment", reader.at - 1)
            reader.at = end + 1
            return True
        return False

    def _special(self, octet: int) -> None:
        reader, start = self.reader, self.reader.at - 1
        if octet == 46:
            self.add(Set(ALL if reader.flags & DOT_ALL else NOT_LF), True)
        elif octet == 40:
            open_parenthesis(self)
        elif octet == 41:
            self._close_parenthesis(start)
        elif octet == 124:
            self._next_branch()
        elif octet == 92:
            self._escape(start)
        elif octet == 91:
            self._class()
        elif octet == 94:
            self.add(Anchor("line-start" if reader.flags & MULTILINE else "text-start"), False)
        elif octet == 36:
            self.add(Anchor("line-end" if reader.flags & MULTILINE else "last-line-end"), False)
        elif octet == 123:
            counts = read_counts(reader, reader.at)
            if counts is None:
                self.literal(b"{")
            else:
                reader.at = counts[2]
                self._repeat(counts[0], counts[1], start)
        elif octet in b"?*+":
            self._short_repeat(octet, start)
        else:
            self.literal(bytes((octet,)))  # `#` or white space that is not ignored

    def _short_repeat(self, octet: int, start: int) -> None:
        if self.quantified and octet != 42:
            last = self.items[-1]
            if isinstance(last, Repeat):
                lazy = octet == 63 and not last.lazy
                self.items[-1] = last.but(lazy=lazy, possessive=last.possessive or octet != 63)
            self.quantified = False
        else:
            self._repeat(octet == 43, 1 if octet == 63 else None, start)

    def _repeat(self, low: int, high: int | None, start: int) -> None:
        if not self.repeatable:
            raise self.reader.refused("quantifier does not follow a repeatable item", start)
        item = self.items.pop()
        if isinstance(item, Literal) and len(item.octets) > 1:
            self.items.append(Literal(item.octets[:-1], item.fold))
            item = Literal(item.octets[-1:], item.fold)
        elif isinstance(item, Look):
            # What holds once holds again.
            low, high = min(low, 1), 1 if high is None else min(high, 1)
        self.items.append(Repeat(item, int(low), high, bool(self.reader.flags & UNGREEDY)))
        self.repeatable = False
        self.quantified = True

    def _next_branch(self) -> None:
        frame = self.frames[-1]
        frame.branches.append(sequence(frame.items))
        frame.items = self.items = []
        if frame.kind == "reset":
            frame.most = max(frame.most, self.reader.groups)
            self.reader.groups = frame.base
        self.repeatable = self.quantified = False

    def _close_parenthesis(self, start: int) -> None:
        if len(self.frames) == 1:
            raise self.reader.refused("unmatched closing parenthesis", start)
        frame = self.frames.pop()
        self.items = self.frames[-1].items
        self.add(close(self.reader, frame), frame.kind != "condition assertion")
        self.reader.flags = frame.flags

    def _class(self) -> None:
        reader, start = self.reader, self.reader.at - 1
        for text, kind in ((b"[:<:]]", "word-start"), (b"[:>:]]", "word-end")):
            if reader.looking_at(text):
                # \b(?=\w): a quantifier would be for the second part alone.
                reader.at += len(text)
                self.add(Anchor("edge"), False)
                self.add(Anchor(kind), True)
                return
        opener = reader.source[reader.at] if reader.at < reader.end else 0
        if opener in b":.=" and posix_end(reader.source, reader.at) is not None:
            if opener == 58:
                raise reader.refused("POSIX named classes are supported only within a class", start)
            raise reader.refused("POSIX collating elements are not supported", start)
        self.add(Set(ClassReader(reader).read()), True)

    def _escape(self, start: int) -> None:
        reader = self.reader
        kind, value = read_escape(reader, in_class=False)
        if kind == "octet":
            assert isinstance(value, int)
            self.literal(bytes((value,)))
        elif kind == "set":
            assert isinstance(value, int)
            self.add(Set(value), True)
        elif kind == "special":
            assert isinstance(value, int)
            if value in _ANCHORS:
                self.add(Anchor(_ANCHORS[value]), False)
            elif value == 75:
                self._keep(start)
            else:
                looks = [frame for frame in self.frames if frame.kind in _LOOKS]
                if value == 88 and looks and looks[-1].behind:
                    self.late.append(reader.refused("length of lookbehind assertion is not limited", looks[-1].at))
                self.add(_OTHERS[value], True)
        else:
            self.reference(value, start)

    def _keep(self, start: int) -> None:
        if any(frame.kind in _LOOKS for frame in self.frames):
            text = "\\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)"
            self.late.append(self.reader.refused(text, start))
        self.add(Keep(), False)

    def reference(self, to: int | bytes, start: int) -> None:
        """A back-reference by number or name."""
        reader = self.reader
        numbers = reader.names.get(to, []) if isinstance(to, bytes) else [to]
        if len(numbers) > 1:
            raise reader.cannot("a reference to a name that several captures have", start)
        if not numbers or numbers[0] not in reader.done:
            self.early.append((to, start))
            self.add(Sequence(()), True)
        else:
            self.add(BackReference(numbers[0], bool(reader.flags & IGNORE_CASE)), True)

    def _check_references(self) -> None:
        reader = self.reader
        for to, start in self.early:
            if to not in reader.names if isinstance(to, bytes) else to > reader.highest:
                raise reader.refused("reference to non-existent subpattern", start)
        for _, start in self.early:
            raise reader.cannot("a reference to a capture that is not complete at that place", start)
