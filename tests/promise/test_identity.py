"""Which message is this: what two fetches may change does not count, everything else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rulesmith.limits import IDENTITY_FIELDS
from rulesmith.mail import header, identity

NAMES = st.text("ABCdef-", min_size=1, max_size=6).map(lambda text: b"Q" + text.encode())
WORDS = st.lists(st.text("abcXYZ019.<>@;=", min_size=1, max_size=8), min_size=1, max_size=4)
FIELDS = st.lists(st.tuples(NAMES, WORDS.map(lambda words: " ".join(words).encode())), min_size=1, max_size=6)
BODY = st.binary(max_size=60).map(lambda octets: octets.replace(b"\r", b"").rstrip(b"\n") + b"\n")
CHANGING = st.sampled_from(
    [b"Received", b"X-Spam", b"X-Spam-Score", b"X-Spamd-Result", b"X-Rspamd-Server", b"x-spam-action", b"Status"]
)


def _mail(fields: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    return b"".join(name + b": " + value + b"\n" for name, value in fields) + b"\n" + body


def _of(raw: bytes) -> bytes:
    return identity.identity(raw, header.boundary(raw))


@given(FIELDS, BODY, st.lists(st.tuples(CHANGING, WORDS.map(lambda w: " ".join(w).encode())), max_size=4), st.data())
def test_what_two_fetches_change_keeps_it(fields, body, added, data) -> None:
    other = data.draw(st.permutations(fields + added))
    assert _of(_mail(fields, body)) == _of(_mail(other, body))


@given(FIELDS, BODY, st.sampled_from([b"\r\n ", b"\n\t", b"  ", b"\n  \t"]))
def test_folds_blanks_case_and_line_ends_keep_it(fields, body, gap) -> None:
    other = [(name.upper(), value.replace(b" ", gap)) for name, value in fields]
    raw = _mail(other, body)
    assert _of(_mail(fields, body)) == _of(raw)
    if b"\r" not in raw:
        assert _of(raw.replace(b"\n", b"\r\n")) == _of(raw)


@given(FIELDS, BODY, BODY)
def test_another_body_changes_it(fields, one, other) -> None:
    assert (_of(_mail(fields, one)) == _of(_mail(fields, other))) == (one == other)


@given(FIELDS, BODY, NAMES, WORDS, st.data())
def test_another_field_changes_it(fields, body, name, words, data) -> None:
    raw = _mail(fields, body)
    value = " ".join(words).encode()
    assert _of(_mail([*fields, (name, value)], body)) != _of(raw)
    at = data.draw(st.integers(0, len(fields) - 1))
    assert _of(_mail(fields[:at] + fields[at + 1 :], body)) != _of(raw)
    changed = [*fields[:at], (fields[at][0], fields[at][1] + b"!"), *fields[at + 1 :]]
    assert _of(_mail(changed, body)) != _of(raw)


def test_two_messages_may_share_a_message_id() -> None:
    one = b"Message-ID: <1@x>\nSubject: a\n\nbody\n"
    assert len({_of(one), _of(one.replace(b"a\n", b"b\n")), _of(one.replace(b"body", b"text"))}) == 3


def test_the_mailbox_that_a_copy_was_for_counts() -> None:
    one = b"Delivered-To: a@x\nReturn-Path: <l@x>\nSubject: a\n\nbody\n"
    assert len({_of(one), _of(one.replace(b"To: a", b"To: b")), _of(one.replace(b"<l", b"<m"))}) == 3


def test_a_field_moved_into_the_body_changes_it() -> None:
    assert _of(b"A: 1\nB: 2\n\nbody\n") != _of(b"A: 1\n\nB: 2\nbody\n")


def test_a_header_of_a_million_lines_has_one() -> None:
    raw = b"A: 1\n" * (IDENTITY_FIELDS + 5) + b"\nbody\n"
    assert _of(raw) == _of(raw)
    assert _of(raw) != _of(raw.replace(b"body", b"text"))
    assert _of(raw) != _of(b"B: 1\n" + raw)


def test_a_message_without_header_has_one() -> None:
    assert _of(b"just text\n") != _of(b"just test\n")
