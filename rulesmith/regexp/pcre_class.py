"""A PCRE2 character class, as the set of its octets."""

from __future__ import annotations

from rulesmith.regexp.octets import ALL, ALPHA, CLASSES, closed, span
from rulesmith.regexp.pcre_escape import read_escape
from rulesmith.regexp.pcre_reader import EXTENDED_MORE, IGNORE_CASE, Reader

_PLAIN, _LITERAL, _STARTED, _NO_RANGE, _NO_RANGE_STARTED = range(5)
_INVALID_RANGE = "invalid range in character class"


def posix_end(source: bytes, at: int) -> int | None:
    """Where `:]` (or `.]` or `=]`) ends the POSIX construct whose `:` is at `at`; None where there is none."""
    terminator, at = source[at], at + 1
    while len(source) - at >= 2:
        octet = source[at]
        if octet == 92 and source[at + 1] in b"\\]":
            at += 1
        elif (octet == 91 and source[at + 1] == terminator) or octet == 93:
            return None
        elif octet == terminator and source[at + 1] == 93:
            return at
        at += 1
    return None


class ClassReader:
    """Reads one class; the reader is behind its opening bracket."""

    __slots__ = ("last", "mask", "named", "opened", "quoted", "reader", "state")

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.opened = reader.at - 1
        self.mask = 0  # single octets and ranges: case is ignored in them
        self.named = 0  # \d, [:alpha:] and their like
        self.state = _PLAIN
        self.last = 0
        self.quoted = False

    def read(self) -> int:
        """The set; leaves the reader behind the closing bracket."""
        reader = self.reader
        negated = False
        while True:
            octet = self._next()
            if octet == 92 and reader.looking_at(b"E"):
                reader.at += 1
            elif octet == 92 and reader.looking_at(b"Q\\E"):
                reader.at += 3
            elif octet in b" \t" and reader.flags & EXTENDED_MORE:
                continue
            elif octet == 94 and not negated:
                negated = True
            else:
                break
        if octet == 93:
            self._literal(octet)
            octet = self._next()
        while octet != 93 or self.quoted:
            self._item(octet)
            octet = self._next()
        if self.state == _STARTED:
            self.mask |= 1 << 45
        mask = closed(self.mask) if reader.flags & IGNORE_CASE else self.mask
        mask |= self.named
        return ALL ^ mask if negated else mask

    def _next(self) -> int:
        reader = self.reader
        if reader.at >= reader.end:
            raise reader.refused("missing terminating ] for character class", self.opened)
        reader.at += 1
        return reader.source[reader.at - 1]

    def _item(self, octet: int) -> None:
        reader = self.reader
        if self.quoted:
            if octet == 92 and reader.looking_at(b"E"):
                reader.at += 1
                self.quoted = False
            else:
                self._literal(octet)
        elif (octet in b" \t" and reader.flags & EXTENDED_MORE) or (octet == 91 and self._posix()):
            pass
        elif octet == 92:
            self._escape()
        elif octet == 45 and self.state == _LITERAL:
            self.state = _STARTED
        elif octet == 45 and self.state == _NO_RANGE:
            self.mask |= 1 << 45
            self.state = _NO_RANGE_STARTED
        else:
            self._literal(octet)

    def _literal(self, octet: int) -> None:
        if self.state == _STARTED:
            if self.last > octet:
                raise self.reader.refused("range out of order in character class", self.reader.at - 1)
            self.mask |= span(self.last, octet)
            self.state = _PLAIN
        elif self.state == _NO_RANGE_STARTED:
            raise self.reader.refused(_INVALID_RANGE, self.reader.at - 1)
        else:
            self.mask |= 1 << octet
            self.last = octet
            self.state = _LITERAL

    def _set(self, mask: int, at: int) -> None:
        if self.state in (_STARTED, _NO_RANGE_STARTED):
            raise self.reader.refused(_INVALID_RANGE, at)
        self.named |= mask
        self.state = _NO_RANGE

    def _posix(self) -> bool:
        """Take [:alpha:] and its like, if that is what the bracket opens."""
        reader, start = self.reader, self.reader.at - 1
        opens = reader.at < reader.end and reader.source[reader.at] in b":.="
        end = posix_end(reader.source, reader.at) if opens else None
        if end is None:
            return False
        if self.state in (_STARTED, _NO_RANGE_STARTED):
            raise reader.refused(_INVALID_RANGE, start)
        if reader.source[reader.at] != 58:
            raise reader.refused("POSIX collating elements are not supported", start)
        name = reader.source[reader.at + 1 : end]
        negated = name.startswith(b"^")
        known = CLASSES.get(name[negated:])
        if known is None:
            raise reader.refused("unknown POSIX class name", start)
        if reader.flags & IGNORE_CASE and name[negated:] in (b"upper", b"lower"):
            known = ALPHA
        reader.at = end + 2
        self._set(ALL ^ known if negated else known, start)
        return True

    def _escape(self) -> None:
        reader, start = self.reader, self.reader.at - 1
        kind, value = read_escape(reader, in_class=True)
        assert isinstance(value, int)
        if kind == "octet":
            self._literal(value)
        elif kind == "set":
            self._set(value, start)
        elif value == 98:
            self._literal(8)
        elif value == 81:
            self.quoted = True
        elif value != 69:
            raise reader.refused("escape sequence is invalid in character class", start)
