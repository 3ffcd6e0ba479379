"""Regexps that are octets in disguise find what `re` and the linear matcher find, verdict and submatches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulesmith.regexp.lower import lower
from rulesmith.regexp.search import search

PARTS = [
    b"a",
    b"ab",
    b"B",
    b"b: ",
    b"\\.",
    b"(a|b)",
    b"(?:a|cd)",
    b"(ab)",
    b"(a|ab)",
    b".*",
    b"^",
    b"$",
    b"c",
    b"a:.*b",
    b".*?",
]
sources = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map(b"".join)
texts = st.lists(
    st.sampled_from([b"a", b"b", b"A", b"c", b"d", b": ", b".", b"\n", b"\n", b"\r\n", b"\0"]), max_size=24
).map(b"".join)


@given(sources, st.booleans(), st.sampled_from(["pcre", "posix"]), st.lists(texts, min_size=1, max_size=8))
def test_octets_are_found_where_a_regexp_finds_them(
    source: bytes, case: bool, dialect: str, mails: list[bytes]
) -> None:
    if dialect == "posix":
        source = source.replace(b"?:", b"").replace(b"*?", b"*")
    pattern = lower(source, case, dialect)
    real = (*pattern[:6], None)
    for text in mails:
        assert search(pattern, text, text.lower()) == search(real, text, text.lower()), (source, text)


@pytest.mark.parametrize(
    "source",
    [
        rb"word",
        rb"^Subject: word",
        rb"^(To|Cc):.*a@b\.c",
        rb"^(?:To|Cc|From):.*a@b\.c",
        rb"from.*to",
        rb"^List-Id:.*<x\.y>",
        rb"(word)",
    ],
)
@pytest.mark.parametrize("dialect", ["pcre", "posix"])
def test_usual_regexps_are_octets(source: bytes, dialect: str) -> None:
    # POSIX knows no `(?:`, and its `.` is not for NUL.
    if dialect == "pcre" or (b"?:" not in source and b".*" not in source):
        assert lower(source, False, dialect)[6] is not None


@pytest.mark.parametrize(
    "source",
    [
        rb"wo?rd",
        rb"^Subject: [Ww]ord",
        rb"(a|ab)c",
        rb"^(a|ab).*c",
        rb"^.*word",
        rb"^To:.*(a|b)",
        rb"a.*b.*c",
        rb"word$",
        rb"^a\nb",
        rb"a.*?b",
    ],
)
def test_real_regexps_are_not(source: bytes) -> None:
    assert lower(source, False, "pcre")[6] is None


def test_a_mail_of_one_letter_is_no_trap() -> None:
    pattern = lower(b"a.*b", False, "pcre")
    text = b"a" * 5_000_000 + b"\n" + b"b"
    assert search(pattern, text, text) is None
