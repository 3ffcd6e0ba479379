"""A place in a PCRE2 regexp, the options in force there, and the small things read there: numbers, names."""

from __future__ import annotations

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.octets import WORD

IGNORE_CASE, MULTILINE, DOT_ALL, EXTENDED, EXTENDED_MORE, UNGREEDY, NO_CAPTURE, SAME_NAMES = (1 << n for n in range(8))

GROUPS = 65535
NAME_OCTETS = 128


class Reader:
    """`at` is the next octet of `source`; `groups` counts the captures opened so far, `done` those also closed."""

    __slots__ = ("at", "done", "end", "flags", "groups", "highest", "names", "numbers", "source")

    def __init__(self, source: bytes, flags: int) -> None:
        self.source = source
        self.end = len(source)
        self.at = 0
        self.flags = flags
        self.groups = 0
        self.highest = 0
        self.numbers: list[int] = []
        self.done: set[int] = set()
        self.names: dict[bytes, list[int]] = {}

    def refused(self, text: str, at: int) -> RegexpError:
        """An error with PCRE2's own words, as fdm prints them."""
        return RegexpError(text, at, text)

    def cannot(self, what: str, at: int) -> RegexpError:
        """Fdm takes it; here it would not mean the same."""
        return RegexpError(f"{what} cannot be used here (PCRE2 takes it)", at)

    def looking_at(self, text: bytes) -> bool:
        return self.source.startswith(text, self.at)

    def skip_blanks(self) -> None:
        while self.at < self.end and self.source[self.at] in b" \t":
            self.at += 1

    def digits(self) -> bytes:
        """The decimal digits that follow, maybe none."""
        start = self.at
        while self.at < self.end and 48 <= self.source[self.at] <= 57:
            self.at += 1
        return self.source[start : self.at]

    def group_number(self, relative: bool = True) -> int | None:
        """The number of a capture, with + or - counted from here; None where there is no number."""
        start, sign = self.at, 0
        if relative and self.at < self.end and self.source[self.at] in b"+-":
            sign = 1 if self.source[self.at] == 43 else -1
            self.at += 1
        digits = self.digits()
        if not digits:
            self.at = start
            return None
        if len(digits) > 10 or int(digits) > GROUPS:
            raise self.refused("subpattern number is too big", start)
        number = int(digits)
        if not sign:
            return number
        if number == 0:
            raise self.refused("a relative value of zero is not allowed", start)
        if sign > 0:
            return self.groups + number
        if number > self.groups:
            raise self.refused("reference to non-existent subpattern", start)
        return self.groups + 1 - number

    def name(self, terminator: bytes) -> bytes:
        """A capture's name that begins at the next octet; leaves `at` behind the terminator."""
        braced = terminator == b"}"
        if braced:
            self.skip_blanks()
        start = self.at
        if start >= self.end:
            raise self.refused("subpattern name expected", start)
        if 48 <= self.source[start] <= 57:
            raise self.refused("subpattern name must start with a non-digit", start)
        while self.at < self.end and WORD >> self.source[self.at] & 1:
            self.at += 1
        name = self.source[start : self.at]
        if len(name) > NAME_OCTETS:
            raise self.refused("subpattern name is too long (maximum 128 code units)", start)
        if not name:
            raise self.refused("subpattern name expected", start)
        if braced:
            self.skip_blanks()
        if terminator:
            if not self.looking_at(terminator):
                raise self.refused("syntax error in subpattern name (missing terminator?)", start)
            self.at += 1
        return name

    def open_group(self, name: bytes | None, at: int) -> int:
        """The number of a capture that opens here."""
        if self.groups >= GROUPS:
            raise self.refused("too many capturing groups (maximum 65535)", at)
        self.groups += 1
        self.highest = max(self.highest, self.groups)
        self.numbers.append(self.groups)
        if name is not None:
            self._remember(name, at)
        return self.groups

    def _remember(self, name: bytes, at: int) -> None:
        for known, numbers in self.names.items():
            if known == name:
                if self.groups in numbers:
                    return
                if not self.flags & SAME_NAMES:
                    raise self.refused("two named subpatterns have the same name (PCRE2_DUPNAMES not set)", at)
            elif self.groups in numbers:
                raise self.refused("different names for subpatterns of the same number are not allowed", at)
        self.names.setdefault(name, []).append(self.groups)
