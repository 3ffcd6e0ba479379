"""fnmatch(3) without flags."""

from __future__ import annotations

import pytest

from rulesmith.mail.glob import matches
from rulesmith.mail.glob_automaton import LONGEST


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (b"", b""),
        (b"*", b""),
        (b"***", b"x"),
        (b"*", b".hidden/with/slashes"),
        (b"?", b"/"),
        (b"a*b*c", b"aXbXbc"),
        (b"a**c", b"ac"),
        (b"*a", b"aaa"),
        (b"[a-c]", b"b"),
        (b"[!a]", b"b"),
        (b"[^a]", b"b"),
        (b"[]a]", b"]"),
        (b"[!]]", b"a"),
        (b"[a-]", b"-"),
        (b"[a\\]]", b"]"),
        (b"[[:digit:]x]", b"7"),
        (b"[[=a=]]", b"a"),
        (b"[[.a.]-c]", b"b"),
        (b"[a-[.c.]]", b"b"),
        (b"[[:]", b":"),
        (b"[\x80-\xff]", b"\xe9"),
        (b"\\*", b"*"),
        (b"[", b"["),
        (b"a[b", b"a[b"),
        (b"[]", b"[]"),
        (b"[!]", b"[!]"),
    ],
)
def test_these_match(pattern: bytes, name: bytes) -> None:
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (b"", b"a"),
        (b"?", b""),
        (b"a", b"A"),
        (b"a", b"ab"),
        (b"{a,b}", b"a"),
        (b"[a-c]", b"d"),
        (b"[!a]", b"a"),
        (b"[c-a]", b"b"),
        (b"\\*", b"x"),
        (b"a\\", b"a\\"),
        (b"[a\\", b"[a\\"),
        (b"[[:nosuch:]]", b"n"),
        (b"[[.space.]]", b" "),
        (b"[[=ab=]]", b"a"),
    ],
)
def test_these_do_not(pattern: bytes, name: bytes) -> None:
    assert not matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name", "result"),
    [
        (b"x-FOO", b"X-foo", True),
        (b"X-*", b"x-foo", True),
        (b"\\A?", b"ab", True),
        (b"[a-c]x", b"BX", True),
        (b"[[:upper:]]", b"a", False),
        (b"[[:upper:]]", b"A", True),
        (b"\xe9*", b"\xc9x", False),
    ],
)
def test_case_is_folded_in_octets_and_ranges_not_in_classes(pattern: bytes, name: bytes, result: bool) -> None:
    assert matches(pattern, name, True) is result


def test_a_hostile_name_costs_no_more_than_its_length() -> None:
    assert not matches(b"*a" * 40 + b"b", b"a" * 200_000)


def test_a_pattern_longer_than_any_name_matches_nothing_unless_it_is_plain() -> None:
    assert not matches(b"a" * LONGEST + b"?", b"a" * (LONGEST + 1))
    assert matches(b"a" * (LONGEST + 1), b"a" * (LONGEST + 1))
