"""A program with stretches does what it does without: the same effects, submatches and verdict, at each step."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulesmith import stretches, stretching
from rulesmith.evaluate import evaluate
from rulesmith.mail import header
from rulesmith.mail.message import Message
from rulesmith.regexp.lower import lower

AT = ("fdm.conf", 1)
ME = (b"me", 1000, 1000, b"/home/me")
SETTINGS: dict[str, Any] = {
    "strip-characters": b"",
    "default-user": None,
    "ignore-errors": False,
    "unmatched-mail": None,
}
WORDS = [b"meadow", b"Meadow-lark", b"lark.example", b"shadow", b"owes", b"dow"]
ALL = (0, False, "all", ())

patterns = st.builds(
    lambda before, word, case, dialect: lower(before + word.replace(b".", b"\\."), case, dialect),
    st.sampled_from([b"", b"^Subject:.*", b"^(To|Cc): ", b"x?"]),
    st.sampled_from(WORDS),
    st.booleans(),
    st.sampled_from(["pcre", "posix"]),
)
terms = st.one_of(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([False, False, False, True]),
        st.just("regexp"),
        st.tuples(patterns, st.sampled_from(["any", "headers", "body"])),
    ),
    st.just((1, False, "matched", ())),
)


@st.composite
def rules(draw: st.DrawFn, depth: int = 2) -> tuple[Any, ...]:
    found = []
    for number in range(draw(st.integers(1, 9))):
        first, *others = draw(st.lists(terms, min_size=1, max_size=3))
        expression = ((0, *first[1:]), *others)
        items: Any = (("append", (b"/%d" % number,), AT),)
        if draw(st.booleans()):
            items = (*items, ("add-header", (b"X-Seen", draw(st.sampled_from(WORDS))), AT))
        block = draw(rules(depth - 1)) if depth and not draw(st.integers(0, 5)) else None
        found.append((number, AT, expression, (), None, None if block else items, block, draw(st.booleans())))
    return tuple(found)


messages = st.builds(
    lambda fields, empty, text: b"".join(fields) + empty + b" ".join(text) + b"\n",
    st.lists(
        st.builds(
            lambda name, word: name + b": " + word + b"\n",
            st.sampled_from([b"To", b"Subject", b"cc"]),
            st.sampled_from(WORDS),
        ),
        max_size=3,
    ),
    st.sampled_from([b"\n", b""]),
    st.lists(st.sampled_from([*WORDS, b"x", b"\n"]), max_size=6),
)


def history(program: tuple[Any, ...], raw: bytes) -> list[Any]:
    """Everything that can be seen of a run."""
    message = Message(raw, header.boundary(raw), {}, 0)
    engine = evaluate((SETTINGS, (), (), (), program), b"stdin", (), message, ME)
    seen: list[Any] = []
    answer: dict[bytes, bytes] | None = None
    while True:
        try:
            effect = engine.send(answer)
        except StopIteration as end:
            verdict = end.value
            return [*seen, verdict.decision, verdict.outcome, verdict.ended, message.captures, message.raw]
        seen.append((effect, message.captures, dict(message.tags)))
        answer = {}


@pytest.fixture(autouse=True, scope="module")
def short_stretches() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretching, "LEAST", 2)
        for module in (stretches, stretching):
            patch.setattr(module, "PACK", 2)
        patch.setattr(stretches, "_BLOCK", 7)
        yield


@given(rules(), messages)
def test_a_stretch_changes_nothing(program: tuple[Any, ...], raw: bytes) -> None:
    assert history(stretching.with_stretches(program), raw) == history(program, raw)


@given(rules(), messages)
def test_neither_do_needles_alone(program: tuple[Any, ...], raw: bytes) -> None:
    longer = raw + b"x" * 4000  # where they cost less than the grams
    assert history(stretching.with_stretches(program), longer) == history(program, longer)


@given(rules())
def test_who_looks_on_sees_every_rule(program: tuple[Any, ...]) -> None:
    shown = stretches.every(stretching.with_stretches(program))
    assert [rule[0] for rule in shown] == [rule[0] for rule in program]


def test_what_is_not_looked_for_is_not_unpacked() -> None:
    pattern = lower(b"^Subject:.*shadow", False, "pcre")
    rule = (0, AT, ((0, False, "regexp", (pattern, "headers")),), (), None, (), None, False)
    packed = stretching.with_stretches([rule] * 1000 + [(1, AT, (ALL,), (), None, (), None, False)])
    (_, indexes, packs, count), _ = packed
    damaged = [(None, indexes, (b"damaged",) * len(packs), count)]
    raw = b"Subject: lark\n\n"
    assert not list(stretches.possible(damaged, Message(raw, len(raw), {}, 0)))
