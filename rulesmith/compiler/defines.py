"""Macros of the command line: `-D '$name=value'` and `-D '%name=number'` (fdm(1))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_NAME = 63  # with its sigil; in a file the limit is one less
_LARGEST = 2**63 - 1


def read_defines(defines: Sequence[str]) -> tuple[dict[str, str | int], list[Diagnostic]]:
    """The macros, names with their sigil, and what is wrong with them. Of two with one name the first wins.

    The places are in sources called `-D`; fdm speaks of line 0 of the configuration.
    """
    macros: dict[str, str | int] = {}
    found = []
    for define in defines:
        name, equals, text = define.partition("=")
        value: str | int = text
        wrong = _wrong_name(name)
        if not wrong and name[0] == "%":
            value, wrong = _number(text if equals else "0")
        if wrong:
            fdm, message = wrong
            span = Span(Source("-D", define), 0, len(define))
            found.append(Diagnostic("invalid-define", Severity.ERROR, message, Label(span), fdm=fdm))
        else:
            macros.setdefault(name, value)
    return macros, found


def _wrong_name(name: str) -> tuple[str, str] | None:
    if name[:1] not in ("$", "%"):
        return f"invalid macro: {name}", f"the macro {name!r} needs a `$` (string) or `%` (number) in front"
    if len(name) > _LONGEST_NAME:
        return f"macro name too long: {name}", f"a macro name has at most {_LONGEST_NAME - 1} characters"
    return None


def _number(text: str) -> tuple[int, tuple[str, str] | None]:
    digits = text.lstrip(" \t\n\v\f\r")
    sign = digits[:1] if digits[:1] in ("+", "-") else ""
    if not (digits[len(sign) :].isascii() and digits[len(sign) :].isdigit()):
        return 0, (f"number is invalid: {text}", f"{text!r} is not a number")
    value = int(digits)
    if value < 0:
        return 0, (f"number is too small: {text}", f"{text!r} is below 0")
    if value > _LARGEST:
        return 0, (f"number is too large: {text}", f"{text!r} is above {_LARGEST}")
    return value, None
