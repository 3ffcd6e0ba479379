"""Strings and shell commands as the lexer meets them: from the opening quote or `(` to the closing one.

fdm expands macros while it reads a string, so what is wrong in one comes before a missing quote at its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.source import Source, Span
from rulesmith.syntax.literals import ESCAPES, MACRO_LENGTH, MACRO_NAME, SPECIAL
from rulesmith.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulesmith.syntax.macros import Macros
    from rulesmith.syntax.tree import MacroUse

_NOT_A_NAME = re.compile(r"[A-Za-z0-9_-]*+")
_COMMAND = re.compile(r"""["'()]""")


class Fault(Value):
    """Something wrong in the text: what a diagnostic is made of."""

    name: str
    message: str
    start: int
    end: int
    fdm: str
    help: str | None = None


class Scan:
    """What was read. `value` is None where it depends on a command that was not run; `closed`: to its end."""

    def __init__(self, end: int, value: str | None = "", faults: Sequence[Fault] = (), *, closed: bool = True) -> None:
        self.end = end
        self.value = value
        self.macros: list[MacroUse] = []
        self.faults = [*faults]
        self.closed = closed


def macro_name(text: str, at: int) -> tuple[int, Fault | None]:
    """The end of the macro `$name` or `${name}` whose sigil is at `at`."""
    braced = text[at + 1 : at + 2] == "{"
    start = at + 2 if braced else at + 1
    found = MACRO_NAME.match(text, start)
    if found is None:
        help_ = f"a macro is written {text[at]}name or {text[at]}{{name}}"
        end = _NOT_A_NAME.match(text, start).end()  # type: ignore[union-attr]
        return end, Fault("invalid-macro-name", "this is no name of a macro", at, end, "invalid macro name", help_)
    end = found.end()
    if end - start > MACRO_LENGTH:
        message = f"a macro name has at most {MACRO_LENGTH} characters"
        return end, Fault("macro-name-too-long", message, at, end, "macro name too long")
    if not braced:
        return end, None
    if text[end : end + 1] != "}":
        message = f"the macro name is not closed: expected `}}` after {text[at:end]}"
        return end, Fault("unclosed-macro", message, at, end, "missing }")
    return end + 1, None


def double_quoted(source: Source, start: int, macros: Macros) -> Scan:
    """The string whose opening double quote is at `start`; escapes and macros become what they stand for."""
    text = source.text
    scan = Scan(len(text))
    parts: list[str | None] = []
    at = start + 1
    while True:
        found = SPECIAL.search(text, at)
        if found is None or (found.group() == "\\" and found.end() == len(text)):
            scan.closed = False
            if not scan.faults:
                scan.faults.append(_unclosed(text, start, '"'))
            break
        mark = found.start()
        parts.append(text[at:mark])
        if text[mark] == '"':
            scan.end = mark + 1
            break
        if text[mark] == "\\":
            escaped = text[mark + 1]
            parts.append(ESCAPES.get(escaped, escaped))
            at = mark + 2
            continue
        at, fault = macro_name(text, mark)
        if fault:
            scan.faults.append(fault)
        else:
            use = macros.use(text[mark] + text[mark + 2 : at - 1], Span(source, mark, at))
            scan.macros.append(use)
            parts.append(use.value)
    scan.value = _cut(parts)
    return scan


def single_quoted(source: Source, start: int) -> Scan:
    """The string whose opening single quote is at `start`: everything up to the next one."""
    text = source.text
    end = text.find("'", start + 1)
    if end < 0:
        return Scan(len(text), "", [_unclosed(text, start, "'")], closed=False)
    return Scan(end + 1, text[start + 1 : end].partition("\0")[0])


def command(source: Source, start: int, macros: Macros) -> Scan:
    """The text of the `$(…)` or `%(…)` whose sigil is at `start`.

    Parentheses nest. Double-quoted parts are read like strings and put back between double quotes; the rest
    is left to the shell as it is.
    """
    text = source.text
    scan = Scan(len(text))
    parts: list[str | None] = []
    at = start + 2
    depth = 1
    while depth:
        found = _COMMAND.search(text, at)
        if found is None:
            scan.closed = False
            message = f"the command that starts with {text[start : start + 2]} is not closed: expected `)`"
            scan.faults.append(Fault("unclosed-command", message, start, _line_end(text, start), "missing )"))
            break
        mark, sign = found.start(), found.group()
        parts.append(text[at:mark])
        at = mark + 1
        if sign in "()":
            depth += 1 if sign == "(" else -1
            parts.append(sign if depth else "")
            continue
        inner = double_quoted(source, mark, macros) if sign == '"' else single_quoted(source, mark)
        scan.faults += inner.faults
        scan.macros += inner.macros
        at = inner.end
        if not inner.closed:
            scan.closed = False
            break
        parts += [sign, inner.value, sign]
    scan.end = at if scan.closed else len(text)
    scan.value = _cut(parts)
    return scan


def _cut(parts: list[str | None]) -> str | None:
    """The parts as one text, which a NUL ends, as in any C program."""
    value = ""
    for part in parts:
        if part is None:
            return None
        head, nul, _ = part.partition("\0")
        value += head
        if nul:
            break
    return value


def _unclosed(text: str, start: int, quote: str) -> Fault:
    message = f"the string that starts here has no closing {quote}"
    help_ = None
    if quote == "'" and text[start - 1 : start].isalnum():
        help_ = "an apostrophe opens a string; in a command, put the words with it between double quotes"
    return Fault("unclosed-string", message, start, _line_end(text, start), f"missing {quote}", help_)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
