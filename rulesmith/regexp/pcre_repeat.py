"""The braces of a PCRE2 quantifier: `{2}`, `{2,}`, `{2,5}`, `{,5}`, blanks allowed inside."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.regexp.pcre_reader import Reader


MOST = 65535
_COUNTS = re.compile(rb"[ \t]*(?:([0-9]+)[ \t]*(?:(,)[ \t]*([0-9]*))?|,[ \t]*([0-9]+))[ \t]*\}")


def read_counts(reader: Reader, at: int) -> tuple[int, int | None, int] | None:
    """(low, high, offset behind the brace) of the quantifier whose `{` is before `at`; None: plain text."""
    found = _COUNTS.match(reader.source, at)
    if found is None:
        return None
    low_text, comma, high_text, only_high = found.groups()
    low = _count(reader, low_text or b"0", at)
    if only_high is not None:
        return 0, _count(reader, only_high, at), found.end()
    if comma is None:
        return low, low, found.end()
    if not high_text:
        return low, None, found.end()
    high = _count(reader, high_text, at)
    if high < low:
        raise reader.refused("numbers out of order in {} quantifier", at - 1)
    return low, high, found.end()


def _count(reader: Reader, digits: bytes, at: int) -> int:
    if len(digits.lstrip(b"0")) > 5 or int(digits) > MOST:
        raise reader.refused("number too big in {} quantifier", at - 1)
    return int(digits)
