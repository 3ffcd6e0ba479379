"""A regexp that means something else to the other regexp engine.

What it does: reports what PCRE2 (fdm 2.2 as most systems build it) and POSIX regexps (Debian's fdm 1.9, `set
regexp-dialect posix`) read differently. A warning where the engine in force takes for plain characters what was surely
meant otherwise; a note where only the other engine would.

Why is this bad: with PCRE2 `\\<` is a `<`, not the start of a word; with POSIX regexps `\\d` is a `d`, `.*?` is as
greedy as `.*`, a backslash in brackets is a backslash, `(?:` is an error, and `[^x]` does not match a line feed.

Example:

    match "\\\\<money\\\\>" in headers action "junk"

Use instead: what both understand: `\\\\b`, `[0-9]`, `(`, `[^x\\n]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.places import place_in
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import regexps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "regexp-dialect-difference"
SEVERITY = Severity.NOTE

_POSIX_ESCAPES = "<>`'"
_SAME_ESCAPES = "bBwWsS"
Difference = tuple[int, str, str]  # offset, what only one engine knows ("pcre", "posix", "both"), and the sentence


def check(compiled: Compiled) -> Iterator[Finding]:
    """One finding for each such regexp."""
    dialect = compiled.lowered.settings["regexp-dialect"]
    for regexp in regexps(compiled):
        value = regexp.text.value
        found = [] if value is None else list(_differences(value))
        # What the engine in force does not know is what matters more.
        found.sort(key=lambda each: each[1] in (dialect, "both"))
        for offset, known_to, sentence in found[:1]:
            octets = len((value or "")[:offset].encode("utf-8", "surrogateescape"))
            yield Finding(
                place_in(regexp.text, octets) or regexp.text.span,
                sentence,
                severity=SEVERITY if known_to in (dialect, "both") else Severity.WARNING,
            )


def _differences(value: str) -> Iterator[Difference]:
    at, end = 0, len(value)
    while at < end:
        start, char, following = at, value[at], value[at + 1 : at + 2]
        at += 1
        if char == "\\" and following:
            at += 1
            if following in _POSIX_ESCAPES:
                yield start, "posix", f"\\{following} is a plain {following} with PCRE2, a boundary with POSIX regexps"
            elif following.isalpha() and following.isascii() and following not in _SAME_ESCAPES:
                yield (
                    start,
                    "pcre",
                    f"\\{following} means something with PCRE2, and is a plain {following} with POSIX regexps",
                )
            elif following in "sSW" and value[at : at + 1] in ("*", "+", "{"):
                yield start, "both", f"\\{following} matches line feeds with PCRE2, not with POSIX regexps"
        elif char == "[":
            at, inner = _bracket(value, at)
            if "\\" in inner:
                yield start, "pcre", "a backslash in brackets escapes with PCRE2, and is a backslash with POSIX regexps"
            elif inner[:1] == "^" and "\n" not in inner and value[at : at + 1] in ("*", "+", "{"):
                yield start, "both", f"[{inner}] matches line feeds with PCRE2, not with POSIX regexps"
        elif char == "(" and following in ("?", "*"):
            at += 1
            yield start, "pcre", f"({following} has a meaning with PCRE2, and is an error with POSIX regexps"
        elif char in "*+?}" and following in ("?", "+"):
            at += 1
            yield start, "pcre", f"{char}{following} has a meaning with PCRE2; POSIX regexps are always greedy"
        elif char == "{" and following == ",":
            yield start, "posix", "{, is a plain text with PCRE2, a repetition with POSIX regexps"


def _bracket(value: str, at: int) -> tuple[int, str]:
    """Where a bracket expression ends, and what is in it."""
    start = at
    at += value[at : at + 1] == "^"
    at += value[at : at + 1] == "]"
    while at < len(value) and value[at] != "]":
        if value[at : at + 2] in ("[:", "[.", "[="):
            close = value.find(value[at + 1] + "]", at + 2)
            at = close + 2 if close >= 0 else at + 1
        else:
            at += 2 if value[at] == "\\" else 1
    return min(at + 1, len(value)), value[start:at]
