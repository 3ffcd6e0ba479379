"""Quoted strings and numbers: how their text becomes a value, and where each octet of a value was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# fdm reads numbers into a signed 64-bit integer, from at most so many digits.
LARGEST = 2**63 - 1
DIGITS = 30

ESCAPES = {"r": "\r", "n": "\n", "t": "\t"}  # any other escaped character is itself

# What is not plain text inside double quotes: an escape, a macro, the end.
SPECIAL = re.compile(r'\\|[$%]\{|"')
MACRO_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*+")
MACRO_LENGTH = 61

# A score: what no scanner exceeds, so that it is exact enough as a float.
SCORE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?(?![A-Za-z0-9_.-])")

# The number of a `%( )`: what strtonum(3) takes.
_OUTPUT_NUMBER = re.compile(r"[ \t\n\v\f\r]*+([+-]?)([0-9]++)\Z")


def number(digits: str) -> tuple[int, str | None]:
    """The value of a number token, and fdm's complaint about it."""
    if len(digits) > DIGITS:
        return 0, "number too long"
    value = int(digits)
    return (value, None) if value <= LARGEST else (0, "number is too large")


def output_number(text: str) -> tuple[int, str | None]:
    """The value of a number that a command or `-D` gives, and fdm's complaint about it."""
    found = _OUTPUT_NUMBER.match(text)
    if found is None:
        return 0, "number is invalid"
    sign, digits = found.groups()
    digits = digits.lstrip("0")
    # A very long text of digits is too large whatever it says; int() may refuse to read it.
    value = int(digits or "0") if len(digits) <= DIGITS else LARGEST + 1
    if sign == "-" and value > 0:
        return 0, "number is too small"
    return (value, None) if value <= LARGEST else (0, "number is too large")


def command_output(text: str) -> str:
    """The value of `$( )`: lines without CR, each up to a NUL, joined; line feeds at the end go."""
    lines = [line.removesuffix("\r").partition("\0")[0] for line in text.split("\n")]
    return "\n".join(lines).rstrip("\n")


def steps(written: str, values: Iterator[str]) -> Iterator[tuple[int, int, str]]:
    """Where each part of a quoted string's value comes from: start and end in `written`, and the value.

    `values` are those of the macros in a double-quoted string, in order. A plain run of characters is one part.
    """
    end = len(written) - 1
    if written[:1] == "'":
        yield 1, end, written[1:end]
        return
    at = 1
    while at < end:
        found = SPECIAL.search(written, at, end)
        if found is None:
            yield at, end, written[at:end]
            return
        mark = found.start()
        if mark > at:
            yield at, mark, written[at:mark]
        if written[mark] == "\\":
            at = mark + 2
            escaped = written[mark + 1]
            yield mark, at, ESCAPES.get(escaped, escaped)
        else:
            at = written.index("}", mark) + 1
            yield mark, at, next(values)
