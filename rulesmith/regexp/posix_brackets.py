"""A bracket expression of a POSIX regexp as glibc reads it in the C locale, as the set of its octets."""

from __future__ import annotations

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.octets import ALL, ALPHA, CLASSES, LF, span

UNMATCHED = "Unmatched [, [^, [:, [., or [="
_RANGE_END = "Invalid range end"
_COLLATION = "Invalid collation character"
_NAME_OCTETS = 32
_NAMED = {name: mask for name, mask in CLASSES.items() if name not in (b"ascii", b"word")}

_CHARACTER, _CLASS, _COLLATED, _EQUIVALENT = range(4)


class Brackets:
    """Reads one bracket expression; `at` is behind the opening bracket.

    Where case is ignored glibc turns regexp and text to upper case before anything else: `[Z-a]` is then an
    invalid range, and `[A-z]` has letters only. `source` is therefore in upper case already, `original` is not.
    """

    __slots__ = ("at", "end", "fold", "opened", "original", "source")

    def __init__(self, source: bytes, original: bytes, at: int, fold: bool) -> None:
        self.source = source
        self.original = original
        self.at = at
        self.end = len(source)
        self.opened = at - 1
        self.fold = fold

    def refused(self, text: str, at: int | None = None) -> RegexpError:
        where = self.opened if at is None else at
        return RegexpError(text, where, self.original.decode("utf-8", "surrogateescape") + text)

    def read(self) -> int:
        """The set (of upper-case octets where case is ignored); `at` is then behind the closing bracket."""
        self._need("Invalid regular expression")
        negated = self.source[self.at] == 94
        if negated:
            self.at += 1
            self._need("Invalid regular expression")
        mask, first = 0, True
        while first or self._peek() != 93:
            start = self.at
            kind, value = self._element(first)
            self._need(UNMATCHED)
            if kind in (_CHARACTER, _COLLATED) and self._peek() == 45:
                if self.at + 1 >= self.end:
                    raise self.refused(UNMATCHED)
                if self.source[self.at + 1] != 93:
                    self.at += 1
                    mask |= self._range(value, start)
                    self._need(UNMATCHED)
                    first = False
                    continue
            mask |= value if kind == _CLASS else 1 << value
            first = False
        self.at += 1
        return ALL ^ (mask | LF) if negated else mask

    def _peek(self) -> int:
        return self.source[self.at]

    def _need(self, text: str) -> None:
        if self.at >= self.end:
            raise self.refused(text)

    def _range(self, low: int, start: int) -> int:
        kind, high = self._element(True, in_range=True)
        if kind not in (_CHARACTER, _COLLATED) or low > high:
            raise self.refused(_RANGE_END, start)
        return span(low, high)

    def _element(self, hyphen: bool, in_range: bool = False) -> tuple[int, int]:
        start, octet = self.at, self._peek()
        following = self.source[self.at + 1 : self.at + 2]
        if octet == 91 and following in (b".", b"=", b":"):
            return self._symbol(following[0], start, in_range)
        if octet == 45 and not hyphen and following != b"]":
            raise self.refused(_RANGE_END, start)
        self.at += 1
        return _CHARACTER, octet

    def _symbol(self, delimiter: int, start: int, in_range: bool) -> tuple[int, int]:
        end = self.source.find(bytes((delimiter, 93)), self.at + 2)
        if end < 0 or end - self.at - 2 >= _NAME_OCTETS:
            raise self.refused(UNMATCHED, start)
        name = (self.original if delimiter == 58 else self.source)[self.at + 2 : end]
        self.at = end + 2
        if in_range and delimiter != 46:
            raise self.refused(_RANGE_END, start)
        if delimiter == 58:
            mask = _NAMED.get(name)
            if mask is None:
                raise self.refused("Invalid character class name", start)
            return _CLASS, ALPHA if self.fold and name in (b"upper", b"lower") else mask
        if len(name) != 1:
            raise self.refused(_COLLATION, start)
        return (_COLLATED if delimiter == 46 else _EQUIVALENT), name[0]
