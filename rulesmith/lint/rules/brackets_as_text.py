"""A word in brackets that is meant as text.

What it does: reports a set of characters that is a word, in a regexp for the Subject: `[list]`, `[SPAM]`; and in any
regexp a set that is a choice between words: `[bob|alice]`.

Why is this bad: brackets mean one character of those inside. `[list]` is an l, i, s or t, so that nearly every subject
matches.

Example:

    match "^Subject:.*[announce]" in headers action "announce"

Use instead: backslashes, doubled in double quotes: `\\\\[announce\\\\]`. For a choice, parentheses: `(bob|alice)`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.searches import searches
from rulesmith.lint.written import cells
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "brackets-as-text"
SEVERITY = Severity.WARNING

_WORD = re.compile(r"\[([A-Za-z][A-Za-z0-9 _*#:.-]{2,})\](?![*+?{])")
_CHOICE = re.compile(r"\[((?:[A-Za-z0-9_@. -]{2,}\|)+[A-Za-z0-9_@. -]{2,})\]")
_RANGE = re.compile(r"(?:a-z|A-Z|0-9|[a-z]-[a-z](?![a-z])|[A-Z]-[A-Z](?![A-Za-z]))")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such set."""
    for found in searches(compiled):
        choice = _CHOICE.search(re.sub(r"\\.", ".", found.text))
        if choice is not None and not _RANGE.search(choice[1]):
            message = f"this is one of the characters {choice[1]}: brackets do not choose between words"
            yield Finding(_place(found.regexp.text.span, choice[0]), message, help=f"({choice[1]})")
            continue
        names = named(found.text)
        if names is None or [name.lower() for name in names.names] != ["subject"]:
            continue
        if any(cell.eaten and cell.char in "[]" for piece in found.regexp.text.pieces for cell in cells(piece)):
            continue
        for word in _WORD.finditer(re.sub(r"\\.", "", found.text)):
            letters = [letter.lower() for letter in word[1] if letter.isalpha()]
            if len(letters) < 3 or _RANGE.search(word[1]) or _is_set(letters):
                continue
            place = _place(found.regexp.text.span, word[0])
            yield Finding(place, f"this is one of the characters {word[1]}, not the word", help=f"\\\\[{word[1]}\\\\]")
            break


def _place(span: Span, text: str) -> Span:
    """Where in a regexp a text stands, the whole of it where it is written in another way."""
    at = span.text.find(text)
    return span if at < 0 else Span(span.source, span.start + at, span.start + at + len(text))


def _is_set(letters: list[str]) -> bool:
    """Whether it may be meant as a set: each letter twice (`Rr`), or in the order of the alphabet."""
    return letters == sorted(letters) or len(set(letters)) * 2 <= len(letters)
