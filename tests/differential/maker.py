"""The source of choices of one pair, and how a value is spelled in a configuration.

Everything is drawn from hypothesis, so that a failure shrinks; the first of several choices is the simplest.
Text is str of latin-1: one character is one octet of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.differential.domain import Domain

T = TypeVar("T")
_RANGES: dict[tuple[int, int], st.SearchStrategy[int]] = {}
SIZE_UNITS = {
    "bytes": (1, ("B", "b", "byte", "bytes")),
    "kilobytes": (1024, ("K", "k", "KB", "kb", "kilobyte", "kilobytes")),
    "megabytes": (1024**2, ("M", "m", "MB", "mb", "megabyte", "megabytes")),
    "gigabytes": (1024**3, ("G", "g", "GB", "gb", "gigabyte", "gigabytes")),
}
TIME_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")


class Maker:
    """Draws choices, notes the features that occur, and collects statements that others need before them."""

    def __init__(self, draw: Callable[..., Any], domain: Domain) -> None:
        self.draw = draw
        self.domain = domain
        self.seen: set[str] = set()
        self.pending: list[str] = []
        self.defines: dict[str, str] = {}
        self.caches: list[str] = []
        self._macros = 0

    def note(self, feature: str) -> None:
        self.seen.add(feature)

    def number(self, low: int, high: int) -> int:
        key = (low, high)
        found = _RANGES.get(key)
        if found is None:
            found = _RANGES[key] = st.integers(low, high)
        drawn: int = self.draw(found)
        return drawn

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        """True that often; shrinks to False."""
        return self.number(0, 99) >= 100 - percent

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        return [self.one(choices) for _ in range(self.number(least, most))]

    # Spelling ------------------------------------------------------------------------------------

    def spelled(self, value: str) -> str:
        """One of the ways to write a string with this value."""
        way = self.number(0, 99)
        if way < 80 or len(value) < 2:
            return self._part(value, way)
        cut = self.number(1, len(value) - 1)
        self.note("symbol +")
        glue = self.one((" + ", "+", "\n\t+ "))
        return self._part(value[:cut], self.number(0, 84)) + glue + self._part(value[cut:], self.number(0, 84))

    def _part(self, value: str, way: int) -> str:
        if way < 30 and "'" not in value:
            self.note("string single")
            return f"'{value}'"
        if way < 66:
            return self.double(value)
        if way < 70 and _plain(value):
            return self._command(value)
        if way < 80:
            name = self.define(value)
            self.note("string macro")
            return self.one((f"${name}", f"${{{name}}}"))
        return self.double(value, lavish=True)

    def quoted(self, value: str) -> str:
        """A quoted literal, which is all that `include` takes."""
        return self.double(value) if "'" in value or self.chance(60) else f"'{value}'"

    def define(self, value: str) -> str:
        """The name, without its sigil, of a new string macro; it may come from the command line."""
        self._macros += 1
        name = self.one(("m", "home-", "2_", "set", "x")) + str(self._macros)
        if self.chance(15) and "\n" not in value:
            self.note("option -D $")
            self.defines["$" + name] = value
            if self.chance(30):
                self.note("macro overridden by -D")
                self.pending.append(f'${name} = "overridden"')
            return name
        self.note("macro definition $")
        if self.chance(10):
            self.note("macro redefinition")
            self.pending.append(f"${name} = 'old'")
        left = f"${{{name}}}" if self.chance(20) else f"${name}"
        self.pending.append(
            f"{left} = {self.double(value) if self.chance(50) or chr(39) in value else repr_single(value)}"
        )
        return name

    def double(self, value: str, lavish: bool = False) -> str:
        """Between double quotes, with the escapes it needs; `lavish` with some that it does not, and with macros."""
        self.note("string double")
        if lavish:
            return '"' + self._lavish(value) + '"'
        return '"' + self._escaped(value) + '"'

    def _escaped(self, value: str) -> str:
        out = []
        for index, character in enumerate(value):
            if character in '\\"' or (character in "$%" and value[index + 1 : index + 2] == "{"):
                self.note("escape " + character)
                out.append("\\" + character)
            elif character in "\r\t":
                letter = {"\r": "r", "\t": "t"}[character]
                self.note("escape " + letter)
                out.append("\\" + letter)
            elif character == "'" and self.chance(10):
                self.note("escape '")
                out.append("\\'")
            elif character == "\n":
                escape = self.one(("\\n", "\\n", "\n", "\\\n"))
                self.note({"\\n": "escape n", "\n": "line feed in string", "\\\n": "escape line feed"}[escape])
                out.append(escape)
            else:
                out.append(character)
        return "".join(out)

    def _lavish(self, value: str) -> str:
        """Some part as a macro, some character escaped for nothing."""
        start, stop = sorted((self.number(0, len(value)), self.number(0, len(value))))
        before, middle, after = value[:start], value[start:stop], value[stop:]
        # A sigil must not meet a brace that was not its own.
        if middle and not before.endswith(("$", "%", "\\")):
            if middle.isdigit() and str(int(middle)) == middle and len(middle) < 15:
                self.note("number macro in string")
                inside = f"%{{{self.define_number(int(middle))}}}"
            else:
                self.note("string macro in string")
                inside = f"${{{self.define(middle)}}}"
            return self._needless(before) + inside + self._needless(after)
        if self.chance(20):
            self.note("undefined macro in string")
            return self._needless(value) + self.one(("${undefined}", "%{undefined}"))
        return self._needless(value)

    def _needless(self, value: str) -> str:
        if not value:
            return ""
        at = self.number(0, len(value) - 1)
        character = value[at]
        if "'" in value and self.chance(80):
            at = value.index("'")
            character = "'"
        if (character.isalnum() and character not in "rnt") or character in "$%' .[]()":
            self.note("escape " + (character if character in "$%'" else "other"))
            return self._escaped(value[:at]) + "\\" + character + self._escaped(value[at + 1 :])
        return self._escaped(value)

    def _command(self, value: str) -> str:
        self.note("string command")
        if value.replace("%", "x").isalnum() and "%" not in value:
            return self.one(
                (f"$(echo {value})", f'$(echo "{value}")', f"$(printf '{value}\\n\\n')", f"$( (echo {value}) )")
            )
        return f"$(printf '%s' '{value}')"

    # Numbers -------------------------------------------------------------------------------------

    def spelled_number(self, value: int) -> str:
        way = self.number(0, 99)
        if way < 70:
            return str(value)
        if way < 80:
            self.note("number with zeros")
            return f"00{value}"
        if way < 97:
            name = self.define_number(value)
            self.note("number macro")
            return self.one((f"%{name}", f"%{{{name}}}"))
        self.note("number command")
        return self.one((f"%(echo {value})", f"%(printf '  {value}')", f"%( (echo {value}) )"))

    def define_number(self, value: int) -> str:
        self._macros += 1
        name = f"n{self._macros}"
        if self.chance(15):
            self.note("option -D %")
            self.defines["%" + name] = str(value)
        else:
            self.note("macro definition %")
            self.pending.append((f"%{{{name}}}" if self.chance(20) else f"%{name}") + f" = {value}")
        return name

    def size(self, octets: int) -> str:
        """A size, in a unit that divides it."""
        fitting = [unit for unit, (factor, _) in SIZE_UNITS.items() if octets % factor == 0]
        if self.chance(40):
            self.note("size without unit")
            return self.spelled_number(octets)
        unit = fitting[-1] if self.chance(70) else fitting[0]
        self.note("unit " + unit)
        factor, spellings = SIZE_UNITS[unit]
        number = self.spelled_number(octets // factor)
        return number + (self.one((" ", "")) if number.isdigit() else " ") + self.one(spellings)

    def time(self, number: int) -> str:
        """A time: the number in a random unit, or in seconds without one."""
        if self.chance(15):
            self.note("time without unit")
            return self.spelled_number(number)
        unit = self.one(TIME_UNITS)
        self.note("unit " + unit)
        return self.spelled_number(number) + " " + unit + self.one(("", "s"))


def repr_single(value: str) -> str:
    return f"'{value}'"


def _plain(value: str) -> bool:
    """Whether a command can print it and fdm will read it back as it is."""
    return bool(value) and not set(value) & set("'\n\r\\()\"") and value.isascii()
