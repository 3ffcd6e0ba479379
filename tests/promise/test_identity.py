"""Which message is this: what two fetches may change does not count, everything else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rulesmith.limits import IDENTITY_FIELDS
from rulesmith.mail import header, identity

Fields = list[tuple[bytes, bytes]]

NAMES = st.text("ABCdef-", min_size=1, max_size=6).map(lambda text: b"Q" + text.encode())
WORDS = st.lists(st.text("abcXYZ019.<>@;=", min_size=1, max_size=8), min_size=1, max_size=4)
FIELDS = st.lists(st.tuples(NAMES, WORDS.map(lambda words: " ".join(words).encode())), min_size=1, max_size=6)
BODY = st.binary(max_size=60).map(lambda octets: octets.replace(b"\r", b"").rstrip(b"\n") + b"\n")
CHANGING = st.sampled_from(
    [b"Received", b"X-Spam", b"X-Spam-Score", b"X-Spamd-Result", b"X-Rspamd-Server", b"x-spam-action", b"Status"]
)


def _mail(fields: Fields, body: bytes) -> bytes:
    return b"".join(name + b": " + value + b"\n" for name, value in fields) + b"\n" + body


def _of(raw: bytes, way: bool = False) -> bytes:
    return identity.identity(raw, header.boundary(raw), way)


@given(FIELDS, BODY, st.lists(st.tuples(CHANGING, WORDS.map(lambda w: " ".join(w).encode())), max_size=4), st.data())
def test_what_two_fetches_change_keeps_it(fields: Fields, body: bytes, added: Fields, data: st.DataObject) -> None:
    other = data.draw(st.permutations(fields + added))
    assert _of(_mail(fields, body)) == _of(_mail(other, body))


@given(FIELDS, BODY, st.sampled_from([b"\r\n ", b"\n\t", b"  ", b"\n  \t"]))
def test_folds_blanks_case_and_line_ends_keep_it(fields: Fields, body: bytes, gap: bytes) -> None:
    other = [(name.upper(), value.replace(b" ", gap)) for name, value in fields]
    raw = _mail(other, body)
    assert _of(_mail(fields, body)) == _of(raw)
    if b"\r" not in raw:
        assert _of(raw.replace(b"\n", b"\r\n")) == _of(raw)


@given(FIELDS, BODY, BODY)
def test_another_body_changes_it(fields: Fields, one: bytes, other: bytes) -> None:
    assert (_of(_mail(fields, one)) == _of(_mail(fields, other))) == (one == other)


@given(FIELDS, BODY, NAMES, WORDS, st.data())
def test_another_field_changes_it(
    fields: Fields, body: bytes, name: bytes, words: list[str], data: st.DataObject
) -> None:
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


FETCHED = b"Received: from mail.example [192.0.2.1]\n\tby here with %s (fetchmail-6.4.37)\n\tfor <me@x>; %s\n"
TAKEN_IN = b"Received: from h (h.example [192.0.2.9]) by mx.example with ESMTPS id %s; Mon, 2 Mar 2026 10:00:00 +0000\n"
LETTER = b"From: a@x\nSubject: s\n\nbody\n"


def test_the_way_to_the_provider_may_count_but_not_how_it_was_fetched() -> None:
    at_first = FETCHED % (b"IMAP", b"Mon, 2 Mar 2026 10:01:00 +0000") + TAKEN_IN % b"1" + LETTER
    assert _of(TAKEN_IN % b"1" + LETTER, way=True) == _of(at_first, way=True)
    for other in (b"IMAP", b"POP3"):
        again = FETCHED % (other, b"Tue, 3 Mar 2026 11:02:00 +0000") + TAKEN_IN % b"1" + LETTER
        assert _of(again, way=True) == _of(at_first, way=True)
    another = FETCHED % (b"IMAP", b"Mon, 2 Mar 2026 10:01:00 +0000") + TAKEN_IN % b"2" + LETTER
    assert _of(another, way=True) != _of(at_first, way=True)
    assert _of(another) == _of(at_first)
    # Below a field of the provider nothing was written when it was fetched here.
    below = TAKEN_IN % b"1" + FETCHED % (b"IMAP", b"1") + LETTER
    assert _of(below, way=True) != _of(below.replace(b"; 1", b"; 2"), way=True)


def test_it_stays_what_it_was_in_journals_and_queues_that_are_there() -> None:
    way = FETCHED % (b"IMAP", b"now") + TAKEN_IN % b"1"
    raw = way + b"X-Spam: yes\nSubject:  a\r\n\tb \xff\nno field\nA:\n\nbody\r\n.\n"
    assert _of(raw).hex() == "bf263ce5a8e8091278b4f09879bc2ab3e730d1de41b9e9caa3c1f28eae77a902"
    assert _of(raw, way=True).hex() == "4d4a8c3f608fc61d37dc8cae945a0a9bb4cd09c8341fa99d823740edc50d99bc"
    parts = identity.digest(b"a", b"", b"bc").hex()
    assert parts == "ed4155066cc5e4ccadca022867774cfecbf10d3c23a49fd6892831f85bcb8de3"


def test_a_field_moved_into_the_body_changes_it() -> None:
    assert _of(b"A: 1\nB: 2\n\nbody\n") != _of(b"A: 1\n\nB: 2\nbody\n")


def test_a_header_of_a_million_lines_has_one() -> None:
    raw = b"A: 1\n" * (IDENTITY_FIELDS + 5) + b"\nbody\n"
    assert _of(raw) == _of(raw)
    assert _of(raw) != _of(raw.replace(b"body", b"text"))
    assert _of(raw) != _of(b"B: 1\n" + raw)


def test_a_message_without_header_has_one() -> None:
    assert _of(b"just text\n") != _of(b"just test\n")


@given(st.binary(max_size=40) | st.text(" \t\n\r\v\fab", max_size=40).map(str.encode))
def test_long_fields_have_the_words_of_short_ones(text: bytes) -> None:
    short = identity._words(text)
    long = identity._words(text + b" " * identity._SHORT)
    assert long == short == b" ".join(text.split())
