"""What the checks prove about regexps is true: of inclusion, of what can never match, of what is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rulesmith.effects import Failure
from rulesmith.lint.language import is_contained, needs_return, why_never
from rulesmith.lint.samples import samples
from rulesmith.lint.slowness import attack
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower
from rulesmith.regexp.search import search

if TYPE_CHECKING:
    from rulesmith.program import Pattern

_ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "x:", " ", "\\.", "\n"])
_REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "{2}"])


def _regexps() -> st.SearchStrategy[str]:
    piece = st.tuples(_ATOMS, _REPEATS).map("".join)
    row = st.lists(piece, min_size=1, max_size=4).map("".join)
    group = st.lists(row, min_size=1, max_size=3).map(lambda rows: f"({'|'.join(rows)})")
    body = st.lists(st.one_of(row, group), min_size=1, max_size=3).map("".join)
    return st.tuples(st.sampled_from(["", "^", "^x: ?"]), body, st.sampled_from(["", "$"])).map("".join)


def _pattern(source: str, case: bool = True) -> Pattern:
    try:
        return lower(source.encode(), case, "pcre")
    except RegexpError:
        assume(False)
        raise


def _has(pattern: Pattern, text: bytes) -> bool:
    return search(pattern, text, text.lower()) is not None


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "x:", " ", ".", "\n", "ab", "x: a", "\nx: b"]), max_size=9).map(
    lambda parts: "".join(parts).encode() + b"\n"
)


@settings(max_examples=150)
@given(_regexps(), _regexps(), st.lists(_TEXTS, min_size=1, max_size=12))
def test_where_one_is_said_to_be_contained_no_text_has_it_without_the_other(
    one: str, other: str, texts: list[bytes]
) -> None:
    first, second = _pattern(one), _pattern(other)
    if is_contained(first, second, "body"):
        for text in (*texts, *samples(one.encode(), True, "pcre")):
            try:
                assert not _has(first, text) or _has(second, text)
            except Failure:
                assume(False)


@settings(max_examples=150)
@given(_regexps(), st.lists(_TEXTS, min_size=1, max_size=12))
def test_what_is_said_never_to_match_matches_no_text(source: str, texts: list[bytes]) -> None:
    pattern = _pattern(source)
    if why_never(pattern, "body") is not None:
        for text in texts:
            try:
                assert not _has(pattern, text)
            except Failure:
                assume(False)


CONTAINED = [
    ("^List-Id:.*<announce", "^List-Id:", "headers", True),
    ("^Cc:.*bob@", "^(To|Cc):.*bob@", "headers", True),
    ("^(To|Cc):.*bob@", "^Cc:.*bob@", "headers", False),
    ("^X: [0-9]{3}$", "^X: [0-9]+", "headers", True),
    ("foobar", "oba", "body", True),
    ("oba", "foobar", "body", False),
    ("^a$", "^a", "body", True),
    ("a", "^X: a|a", "headers", True),
    ("x", "^[^ :\n]+:", "headers", True),  # each header line has a name
    ("x", "^[A-Za-z-]+:", "headers", False),  # and a name may have digits
    ("x", "^[^ :\n]+:", "body", False),
]


@pytest.mark.parametrize(("one", "other", "area", "expected"), CONTAINED)
def test_inclusion(one: str, other: str, area: str, expected: bool) -> None:
    assert is_contained(_pattern(one, False), _pattern(other, False), area) is expected


@pytest.mark.parametrize("source", ["foo$bar", "a^b", "^Subject foo", "foo\n bar", "^: x", "(a|b$)c^"])
def test_what_no_header_area_has(source: str) -> None:
    assert why_never(_pattern(source, False), "headers") is not None


@pytest.mark.parametrize("source", ["^Subject: foo$", "foo", "^(To|Cc):", "a$\n^b", "^$", "^Subject.*foo"])
def test_what_a_header_area_may_have(source: str) -> None:
    assert why_never(_pattern(source, False), "headers") is None


def test_a_carriage_return_that_is_wanted_and_one_that_is_welcome() -> None:
    assert needs_return(_pattern("foo\\r$"))
    assert not needs_return(_pattern("foo\\r?$"))


SLOW = [
    ("(a+)+$", "exponential"),
    ("(a|a)*b", "exponential"),
    ("(x+x+)+y", "exponential"),
    ("^(To|Cc|Bcc):(.*,){20,}.*$", "exponential"),
    ("(.*)(.*)(.*)z", "cubic"),
    ("^From:.*<([^>]+)>$", "quadratic"),
    ("^Subject:.*foo.*bar", "quadratic"),
    ("\\s+$", "quadratic"),
]
FAST = ["^Subject:.*foo", "[0-9]+-[0-9]+", "(ab|a)(b|c)*", "^X: (a|b)*c", "^Subject:[ \\t]*(re:[ \\t]*)*x", "a{3,5}b",
        "^([^,\\n]*,){20}", "^List-Id:.*<[a-z-]+\\.", "(foo|bar|baz)+"]  # fmt: skip


@pytest.mark.parametrize(("source", "growth"), SLOW)
def test_what_is_slow_is_shown_by_its_text(source: str, growth: str) -> None:
    found = attack(source.encode(), False, "pcre")
    assert found is not None
    assert found.growth == growth
    (short, few), (long, many) = found.steps
    assert short < long
    assert many > few * {"exponential": 6, "cubic": 5, "quadratic": 2.8}[growth]


@pytest.mark.parametrize("source", FAST)
def test_what_is_fast_is_left_in_peace(source: str) -> None:
    assert attack(source.encode(), False, "pcre") is None
