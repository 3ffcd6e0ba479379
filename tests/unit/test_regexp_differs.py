"""Where PCRE2 and POSIX read a regexp in different ways, and where they only look different."""

from __future__ import annotations

import pytest

from rulesmith.regexp.differs import differs

SAME = [
    rb"^Subject:.*foo", rb"foo\.bar$", rb"a{,2}b", rb"\s\w\b[[:alpha:]]", rb"^(To|Cc): .*a", rb"(a|ab)(c|bcd)",
    rb".*?x", rb"(re: )?\[(.*)\]", rb"a||b", rb"(a)\1", rb"\W+", rb"[^[:space:]]", rb"a\/b", b"caf\xc3\xa9", b"[^\n]x",
    b"(foo", b"", rb"^x*y", rb"\(x\)", rb"a\+b",
]  # fmt: skip

DIFFERENT = [
    (rb"\d+$", "\\d is a plain letter in POSIX"),
    (rb"a\tb", "\\t is a plain letter in POSIX"),
    (rb"^Delivered-To: [^>]+>", "its negated class also takes a line end in PCRE2, and so runs over several lines"),
    (rb"^Subject:(?=.*x)", "POSIX refuses it: Invalid preceding regular expression"),
    (rb"foo)", "PCRE2 refuses it: unmatched closing parenthesis"),
    (rb"a**", "PCRE2 refuses it: quantifier does not follow a repeatable item"),
    (rb"\<foo\>", "\\< is a plain < in PCRE2 and the start of a word in POSIX"),
    (rb"^$", "^ also matches behind the last line end in POSIX"),
    (rb"a++b", "a + behind another quantifier makes it possessive in PCRE2 and repeats it in POSIX"),
    (rb"xa+?y", "a ? behind another quantifier makes it lazy in PCRE2 and optional in POSIX"),
    (rb"[A-z]", "one of its classes has other members in PCRE2 than in POSIX"),
    (rb"[\d]", "a backslash inside brackets is a plain backslash in POSIX"),
    (rb"[a\]b]", "a backslash inside brackets is a plain backslash in POSIX"),
    (rb"\y", "PCRE2 refuses it: unrecognized character follows \\"),
]


@pytest.mark.parametrize("source", SAME)
def test_what_means_the_same_is_not_reported(source: bytes) -> None:
    assert differs(source, False) is None


@pytest.mark.parametrize(("source", "reason"), DIFFERENT, ids=[repr(row[0])[2:-1] for row in DIFFERENT])
def test_a_difference_is_named(source: bytes, reason: str) -> None:
    assert differs(source, False) == reason


def test_too_many_parentheses_inside_each_other_are_no_difference() -> None:
    assert differs(b"(x|y" * 99 + b"a" + b"z)?" * 99, False) is None
