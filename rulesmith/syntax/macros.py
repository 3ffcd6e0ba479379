"""Macros: `$name` is a string, `%name` a number; known from their definition on (fdm.conf(5), MACROS)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from rulesmith.syntax import literals
from rulesmith.syntax.tree import MacroUse
from rulesmith.syntax.words import NUMBERS, STRINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rulesmith.source import Span
    from rulesmith.syntax.word import Word

_LONGEST = 64  # characters, with the sigil; in a file fdm takes two less (literals.MACRO_LENGTH)

_PARTS = STRINGS | NUMBERS | {"UNDEFINED_STRMACRO", "UNDEFINED_NUMMACRO", "UNKNOWN"}


class MacroError(Exception):
    """A `-D` that is no macro definition; the text is fdm's, without "at line 0"."""


def command_line_macro(definition: str) -> tuple[str, str | int]:
    """The name, with its sigil, and the value of `-D NAME=VALUE`; raises MacroError.

    Without `=` the value is empty, or 0 (fdm(1)). The first of several definitions of a name counts.
    """
    name, equals, value = definition.partition("=")
    if name[:1] not in ("$", "%"):
        raise MacroError(f"invalid macro: {name}")
    if len(name) > _LONGEST:
        raise MacroError(f"macro name too long: {name}")
    if name[0] == "$":
        return name, value
    if not equals:
        return name, 0
    number, fault = literals.output_number(value)
    if fault:
        raise MacroError(f"{fault}: {value}")
    return name, number


class Macros:
    """The macros known at one point of the text."""

    def __init__(self, fixed: Mapping[str, str | int]) -> None:
        self._fixed = fixed
        self._defined: dict[str, tuple[str | int | None, Span]] = {}
        self.names = set(fixed)

    def define(self, name: str, value: str | int | None, span: Span) -> None:
        """A definition in the text; those of the command line win."""
        self.names.add(name)
        self._defined[name] = value, span

    def value(self, name: str) -> str | int | None:
        """The value of a macro that is known; None where it comes from a command that was not run."""
        return self._fixed[name] if name in self._fixed else self._defined[name][0]

    def use(self, name: str, span: Span) -> MacroUse:
        """A record of a use; an unknown macro has the empty value."""
        if name in self._fixed:
            return MacroUse(name, str(self._fixed[name]), True, span, None)
        if name in self._defined:
            value, defined = self._defined[name]
            return MacroUse(name, None if value is None else str(value), True, span, defined)
        return MacroUse(name, "", False, span, None)


def definition(words: list[Word], equals: int) -> tuple[str, str | int | None, Span] | None:
    """The name, value and place of the definition whose `=` is `words[equals]`; None while it is unfinished.

    Faulty parts count as well: what they define should not be reported as missing too.
    """
    name = words[equals - 1]
    parts: list[str | int | None] = []
    wanted = True
    for word in islice(words, equals + 1, None):
        if word.type == "BAD":
            continue
        if wanted != (word.type != "PLUS"):
            break
        if wanted and word.type not in _PARTS:
            return None
        if wanted:
            parts.append(word.value)
        wanted = not wanted
        if name.type == "NUMMACRO":
            break
    if not parts or (wanted and word.type == "PLUS"):
        return None
    known = [str(part) for part in parts if part is not None]
    value: str | int | None = "".join(known) if len(known) == len(parts) else None
    if name.type == "NUMMACRO":
        value = parts[0]
    return name.written.replace("{", "").replace("}", ""), value, name.span
