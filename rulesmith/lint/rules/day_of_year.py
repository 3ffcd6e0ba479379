"""A tag of the date that is not what its letter says.

What it does: reports `%Y`, the day of the year, and `%W`, the day of the week, in paths; and `%M`, the minute, beside a
year or a day.

Why is this bad: in date(1) and strftime(3) `%Y` is the year. Here it is the day of the year (and has two or three
digits, so that names do not sort), and `%M` is the minute. Mail is spread over wrongly named folders.

Example:

    action "archive" maildir "%h/Mail/%Y-%m"

Use instead: `%y` for the year, `%m` for the month; `%[mail_year]` and `%[mail_month]` for the date of the mail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "day-of-year"
SEVERITY = Severity.WARNING

_PATHS = ("maildir", "mbox", "write", "append")
_LETTER = re.compile(r"%%|%\[[^]]*\]|%([A-Za-z])")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such tag of a path."""
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word not in _PATHS:
            continue
        (path, *_) = phrase.args
        span = path.span
        letters = [(match[1], match.start(), match.end()) for match in _LETTER.finditer(span.text) if match[1]]
        known = {letter for letter, _, _ in letters}
        for letter, start, end in letters:
            place = Span(span.source, span.start + start, span.start + end)
            if letter == "Y":
                yield Finding(place, "%Y is the day of the year here, not the year", help="%y, or %[mail_year]")
            elif letter == "M" and not known & {"H", "S"} and known & {"y", "Y", "d"}:
                yield Finding(place, "%M is the minute here, not the month", help="%m, or %[mail_month]")
            elif letter == "W" and known & {"y", "Y", "m"}:
                yield Finding(place, "%W is the day of the week here, not the number of the week")
        for found in re.finditer(r"%\[(?:mail_)?dayofyear\]", span.text):
            place = Span(span.source, span.start + found.start(), span.start + found.end())
            yield Finding(
                place, "the day of the year has two or three digits, so that names do not sort", severity=Severity.NOTE
            )
