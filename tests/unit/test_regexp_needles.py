"""The needle of a regexp is in every text that it matches, and tells most other texts apart."""

from __future__ import annotations

import pytest

from rulesmith.regexp.lower import lower

NEEDLES = [
    (rb"^Subject:.*cron", False, b"cron"),
    (rb"^Subject:.*[xy]", False, b"subject:"),
    (rb"^Subject: Hello", False, b"subject: hello"),
    (rb"^List-Id: .*<foo\.example\.com>", False, b"<foo.example.com>"),
    (rb"^Subject: Hello", True, b"Subject: Hello"),
    (rb"(?i)hello", True, b""),
    (rb"(?i)12:34", True, b"12:34"),
    (rb"a|b", False, b""),
    (rb"(foo|foo)barx", False, b"barx"),
    (rb"(foo)?bar", False, b"bar"),
    (rb"(foo)+", False, b"foo"),
    (rb"fo*bar", False, b"bar"),
    (rb"fo+bar", False, b"obar"),
    (rb"fo{3}bar", False, b"fooobar"),
    (rb"ab[c]d", False, b"abcd"),
    (rb"ab[Cc]d", False, b"abcd"),
    (rb"ab[Cc]d", True, b"ab"),
    (rb"ab\bcd", False, b"abcd"),
    (rb"(?=foo)b", False, b"b"),
    (rb"(?!foo)b", False, b"b"),
    (rb"(a)\1bc", False, b"bc"),
    (rb"foo.bar", False, b"foo"),
    (rb"x{0}abc", False, b"abc"),
    (rb".*", False, b""),
]


@pytest.mark.parametrize(("source", "case", "needle"), NEEDLES, ids=[repr(row[0])[2:-1] for row in NEEDLES])
def test_the_needle(source: bytes, case: bool, needle: bytes) -> None:
    assert lower(source, case, "pcre")[3] == needle
