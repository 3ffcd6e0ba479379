"""The header of a scanned message where rspamc gives no model: subjects, line ends, the patience of a failure."""

from __future__ import annotations

import email.header
import json
import time
from pathlib import Path

import pytest

from rulesmith.effects import Failure
from rulesmith.mail import header
from tests.scan import scripted
from tests.scan.asking import NOW, ask
from tests.scan.test_faults import VERDICT
from tests.scan.test_hops import FETCHED, INSIDE

HEAD = b"From: a@example.com\nSubject: old\n\tfolded\nTo: b@example.com\n"


def _scanned(raw: bytes, **said: object) -> bytes:
    with scripted.rspamd(scripted.says(scripted.ok(json.dumps(VERDICT | said).encode()))) as server:
        return ask(raw, server.url)[0]


def _subject(raw: bytes, subject: str) -> bytes:
    return _scanned(raw, action="rewrite subject", subject=subject)


def test_a_new_subject_takes_the_place_of_the_old() -> None:
    raw = _subject(HEAD + b"Subject: another\n\nbody\n", "*** SPAM *** old")
    assert raw.startswith(
        b"From: a@example.com\nSubject: *** SPAM *** old\nTo: b@example.com\nSubject: another\nX-Spam"
    )


def test_a_subject_is_added_where_there_is_none() -> None:
    raw = _subject(b"From: a@example.com\n\nbody\n", "*** SPAM ***")
    assert raw.endswith(b"\nSubject: *** SPAM ***\n\nbody\n")


def test_an_encoded_subject_stays_as_rspamd_has_encoded_it() -> None:
    assert b"\nSubject: =?UTF-8?B?w7w=?=\n" in _subject(HEAD + b"\n", "=?UTF-8?B?w7w=?=")


def test_a_subject_that_is_not_ascii_becomes_encoded_words() -> None:
    text = "*** Grüße aus der Küche, wo die Öfen glühen und noch ein Stück weiter ***"
    value = header.first(_subject(HEAD.replace(b"\n", b"\r\n") + b"\r\n", text), b"subject")
    assert value is not None
    assert all(len(word) <= 75 for word in value.split())
    assert str(email.header.make_header(email.header.decode_header(value.decode()))) == text


def test_other_actions_rewrite_no_subject() -> None:
    assert _scanned(HEAD + b"\n", subject="new").startswith(HEAD)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("body", [b"", b"\n", b"body\n", b"body"])
def test_line_ends_are_the_messages(end: bytes, body: bytes) -> None:
    raw = (HEAD + b"\n").replace(b"\n", end) + body
    scanned = _scanned(raw)
    at = len(raw) - len(body) - len(end)
    assert scanned.startswith(raw[:at] + b"X-Spam-Scanner: rspamc (rulesmith ")
    assert scanned.endswith(b"X-Spam-Symbols: A" + end + end + body)
    if end == b"\r\n":
        assert scanned[:at].count(b"\n") == scanned[:at].count(b"\r\n")


@pytest.mark.parametrize(
    ("score", "stars"), [(-3, 0), (0, 0), (0.01, 1), (1, 1), (2.25, 3), (15, 15), (32, 32), (99, 32), (1e8, 32)]
)
def test_there_is_a_star_for_each_point(score: float, stars: int) -> None:
    assert b"\nX-Spam-Level: " + b"*" * stars + b"\nX-Spam-Symbols" in _scanned(HEAD + b"\n", score=score)


@pytest.mark.parametrize(
    ("action", "spam"),
    [("reject", 1), ("Add_Header", 1), ("rewrite subject", 1), ("greylist", 0), ("no action", 0), ("discard", 0)],
)
def test_spam_is_what_rspamc_takes_for_it(action: str, spam: bool) -> None:
    assert (b"\nX-Spam: yes\n" in _scanned(HEAD + b"\n", action=action)) == spam


@pytest.mark.parametrize(
    "forged",
    [b"X-Spam: no\n", b"x-SPAM-anything: 1\n\t2\n", b"X-Spam \t: no\n", b"X-Spam-Level : \n \n", b"X-Spam-: x\n"],
)
@pytest.mark.parametrize("at_the_top", [True, False])
def test_forged_verdicts_go_wherever_they_stand(forged: bytes, at_the_top: bool) -> None:
    raw = forged + HEAD + b"\n" if at_the_top else HEAD + forged + b"\n"
    assert _scanned(raw).startswith(HEAD + b"X-Spam-Scanner:")


@pytest.mark.parametrize("kept", [b"X-Spammer: 1\n", b"X-Spamd-Result: 1\n", b"A: X-Spam: 1\n", b"A:\n\tX-Spam: 1\n"])
def test_what_only_looks_like_one_stays(kept: bytes) -> None:
    assert _scanned(kept + HEAD + b"\nX-Spam: in the body\n").startswith(kept + HEAD + b"X-Spam-Scanner:")


def test_rspamd_counts_from_both_ends() -> None:
    raw = b"A: 1\nB: 1\na: 2\nB: 2\nA: 3\nB: 3\n\n"
    wanted = {"remove_headers": {"a": -1, "B": [1, -2, 9, -9]}}
    assert _scanned(raw, milter=wanted).startswith(b"A: 1\na: 2\nB: 3\nX-Spam")


def test_without_a_first_try_patience_counts_from_the_arrival_at_the_provider(tmp_path: Path) -> None:
    def _ask(arrived: int, since: int | None = None) -> object:
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(arrived)).encode()
        raw = FETCHED + INSIDE.replace(b"Fri, 15 Jan 2027 08:00:30 +0000", date) + HEAD + b"\n"
        return ask(raw, f"unix:{tmp_path}/none", since=since)[1]

    assert _ask(NOW - 7200) is None
    with pytest.raises(Failure, match="in 1 minutes"):
        _ask(NOW - 7199)
    with pytest.raises(Failure, match="in 120 minutes"):
        _ask(NOW + 86400)
    with pytest.raises(Failure, match="in 120 minutes"):
        _ask(NOW - 7200, since=NOW)


def test_where_no_time_is_known_it_is_not_over() -> None:
    with pytest.raises(Failure, match=r"directory$"):
        ask(HEAD + b"\n", "unix:/nonexistent")
