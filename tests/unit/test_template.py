"""Tags in strings (fdm.conf(5), TAGS): each row was seen on the real program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulesmith.template import compile_template, expand, raw_text

STRIP = b"\\<>$%^&*|{}[]\"'`;"


def filled(raw: bytes, tags: dict[bytes, bytes] | None = None, captures: tuple[bytes, ...] = ()) -> bytes:
    return expand(compile_template(raw), tags or {}, captures, STRIP)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain", b"plain"),
        (b"100%%", b"100%"),
        (b"end%", b"end"),
        (b"%[open", b"%[open"),
        (b"a%[]b", b"ab"),
        (b"a%[:]b", b"ab"),
        (b"%q%!x", b"x"),
        (b"%:x%1", b"x"),
        (b"%[x%[y]]", b"inner]"),
        (b"%u", b"alice"),
        (b"%[odd]", b"rm -rf /"),
        (b"%[:odd]", b"<rm -rf /;>"),
        (b"%[:nosuch]%[odd]", b"<rm -rf /;>"),
    ],
)
def test_a_string_is_filled_in_as_fdm_does(raw: bytes, expected: bytes) -> None:
    tags = {b"x%[y": b"inner", b"user": b"alice", b"odd": b"<rm -rf /;>"}
    assert filled(raw, tags) == expected


def test_a_submatch_that_exists_turns_stripping_off_for_the_rest() -> None:
    captures = (b"all", b"<1>")
    assert filled(b"%1 %:1 %1", captures=captures) == b"1 <1> <1>"
    assert filled(b"%:2 %1", captures=captures) == b" 1"


def test_a_tag_named_by_a_digit_is_no_submatch() -> None:
    assert filled(b"%1%[1]", {b"1": b"tag"}, (b"", b"sub")) == b"subtag"


def test_values_are_not_looked_at_again() -> None:
    assert expand(compile_template(b"%[a]"), {b"a": b"%[b]", b"b": b"x"}, (), b"") == b"%[b]"


def test_breaks_never_come_in_by_a_value() -> None:
    template = compile_template(b"echo\n%[:a]")
    assert expand(template, {b"a": b"x\r\nreboot\0"}, (), STRIP, breaks=True) == b"echo\nxreboot"


@given(st.binary(), st.dictionaries(st.binary(max_size=3), st.binary(max_size=5)), st.lists(st.binary(max_size=3)))
def test_any_string_can_be_filled_in(raw: bytes, tags: dict[bytes, bytes], captures: list[bytes]) -> None:
    template = compile_template(raw)
    assert raw_text(template) == raw
    assert isinstance(expand(template, tags, tuple(captures), STRIP), bytes)


@given(st.binary().map(lambda raw: raw.replace(b"%", b"%%")))
def test_doubled_percent_signs_are_the_text_itself(raw: bytes) -> None:
    assert filled(raw) == raw.replace(b"%%", b"%")
