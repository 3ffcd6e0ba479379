"""Beside the real rspamc: the same messages, the same rspamd, the same fields in the same place."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from rulesmith.effects import Failure
from rulesmith.mail import header
from tests.scan.asking import DELIVER, NOW, ask
from tests.scan.rspamd import Rspamd

HEAD = b"""From: Alice <alice@example.com>
To: b@example.com
Subject: lunch
Date: Fri, 15 Jan 2027 08:00:00 +0000
Message-ID: <1@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""
BODY = b"\nShall we have lunch at noon? The usual place, I should think.\n"
GTUBE = b"\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"


def _asks_for(action: bytes) -> bytes:
    return HEAD + b"X-Test: " + action + b"\n" + BODY


MESSAGES = {
    "ham": HEAD + BODY,
    "crlf": (HEAD + BODY).replace(b"\n", b"\r\n"),
    "gtube": HEAD + GTUBE,
    "gtube-crlf": (HEAD + GTUBE).replace(b"\n", b"\r\n"),
    "add-header": _asks_for(b"add header"),
    "greylist": _asks_for(b"greylist"),
    "soft-reject": _asks_for(b"soft reject"),
    "rewrite-subject": _asks_for(b"rewrite subject"),
    "milter": _asks_for(b"milter"),
    "8-bit": HEAD + "X-Grüße: schön\n".encode("latin-1") + "\nGrüße aus der Küche\n".encode("latin-1"),
    "no-body": HEAD + b"\n",
    "empty-field": HEAD + b"X-Empty:\nX-Folded: a\n\tb\n  c\n" + BODY,
    "long-line": HEAD + b"\n" + b"x" * 100_000 + b"\n",
    "from-in-body": HEAD + b"\nFrom me to you\n\nFrom: fake\n\n",
}
# What differs from scan to scan: the version and ours behind it, the time, the order of the symbols.
_VARYING = re.compile(rb"(X-Spam-Scanner: rspamc)[^\r\n]*|(X-Spam-Scan-Time:) [0-9.e-]+")
_SYMBOLS = re.compile(rb"X-Spam-Symbols: ([^\r\n]*(?:\r?\n\t[^\r\n]*)*)")


def _comparable(raw: bytes) -> bytes:
    """The whole message but for what varies."""
    [symbols] = _SYMBOLS.findall(raw)
    fold = b",\r\n\t" if b"\r" in symbols else b",\n\t"
    listed = fold.join(sorted(symbols.split(fold)))
    return _SYMBOLS.sub(b"X-Spam-Symbols: " + listed, _VARYING.sub(lambda found: found[1] or found[2], raw))


@pytest.mark.parametrize("name", sorted(MESSAGES.keys() - {"soft-reject"}))  # rspamc calls that spam
def test_the_message_is_rspamcs_message_octet_for_octet(rspamd: Rspamd, name: str) -> None:
    raw = MESSAGES[name]
    theirs = rspamd.client("--mime", stdin=raw)
    assert theirs.returncode == 0
    ours, verdict = ask(raw, rspamd.normal, scan_failure=DELIVER)
    assert verdict is not None
    expected = _comparable(theirs.stdout)
    if name == "rewrite-subject":
        expected = expected.replace(b"Subject: lunch\n", b"Subject: *** lunch\n")
    if name == "milter":
        # rspamc does so itself from 3.14 on.
        expected = re.sub(rb"\nX-Wanted: from a rule", b"", expected)
        ours = re.sub(rb"\nX-Wanted: from a rule", b"", ours)
    assert _comparable(ours) == expected


def test_the_verdict_is_what_the_fields_say(rspamd: Rspamd) -> None:
    raw, verdict = ask(HEAD + GTUBE, rspamd.normal)
    assert verdict is not None
    assert (verdict["action"], verdict["score"], verdict["required"]) == (b"reject", 15.0, 15.0)
    assert b"GTUBE" in verdict["symbols"]
    head = raw[: header.boundary(raw)]
    assert header.first(head, b"X-Spam") == b"yes"
    assert header.first(head, b"X-Spam-Score") == b"15.00 / 15.00"
    assert header.first(head, b"X-Spam-Level") == b"*" * 15


def test_tcp_and_unix_give_the_same(rspamd: Rspamd) -> None:
    over_unix, _ = ask(HEAD + GTUBE, rspamd.normal)
    over_tcp, _ = ask(HEAD + GTUBE, f"http://127.0.0.1:{rspamd.port}")
    by_name, _ = ask(HEAD + GTUBE, f"http://localhost:{rspamd.port}/")
    assert _comparable(over_unix) == _comparable(over_tcp) == _comparable(by_name)


def test_what_the_sender_says_of_his_own_mail_is_taken_out(rspamd: Rspamd) -> None:
    forged = b"X-Spam-Action: no action\nX-SPAM: no\nx-spam-Score : -5\n\tand more\nX-Spam-Status: No\nX-Spammer: me\n"
    raw, _ = ask(forged + HEAD + GTUBE, rspamd.normal)
    honest, _ = ask(b"X-Spammer: me\n" + HEAD + GTUBE, rspamd.normal)
    assert _comparable(raw) == _comparable(honest)
    assert raw.count(b"X-Spam-Action:") == 1


def test_what_rspamd_wants_removed_is_removed(rspamd: Rspamd) -> None:
    unwanted = b"X-Unwanted: 1\nX-Second: 1\nx-unwanted: 2\n  folded\nX-Second: 2\nX-Second: 3\n"
    raw, _ = ask(unwanted + MESSAGES["milter"], rspamd.normal)
    assert raw.startswith(b"X-Second: 1\nX-Second: 3\nFrom: Alice")
    assert b"\nX-Wanted: from a rule\n\nShall" in raw


PULLED = b"""Return-Path: <bounce@sender.example>
X-Original-To: alias@provider.example
Delivered-To: me@provider.example
Received: from imap.provider.example [203.0.113.1]
\tby home.example with IMAP (fetchmail-6.4.37)
\tfor <me@localhost> (single-drop); Fri, 15 Jan 2027 08:01:00 +0000 (UTC)
Received: from mx.provider.example (mx.provider.example [203.0.113.25])
\tby store.provider.example (Postfix) with ESMTPS id 1; Fri, 15 Jan 2027 08:00:30 +0000
Received: from mail.sender.example (out.sender.example [198.51.100.7])
\tby mx.provider.example (Postfix) with ESMTPS id 2; Fri, 15 Jan 2027 08:00:20 +0000
Received: from paypal.example (paypal.example [192.0.2.99]) by mail.sender.example; Fri, 15 Jan 2027 08:00:10 +0000
"""


def test_rspamd_knows_the_hand_off_and_the_envelope_of_pulled_mail(rspamd: Rspamd) -> None:
    _, verdict = ask(
        PULLED + HEAD + BODY, rspamd.normal, b"me@home.example", trusted_hops=((None, (b"*.provider.example",)),)
    )
    assert verdict is not None
    told = {name for name in verdict["symbols"] if name.startswith(b"TOLD_")}
    assert told == {b"TOLD_IP", b"TOLD_HELO", b"TOLD_HOSTNAME", b"TOLD_FROM", b"TOLD_RCPT", b"TOLD_USER"}


def test_pulled_mail_is_neither_greylisted_nor_rate_limited(rspamd: Rspamd) -> None:
    """The greylist module is on, as in the stock configuration, and has another client come again."""
    raw = _asks_for(b"points")
    url = f"http://127.0.0.1:{rspamd.port}/checkv2"
    stranger = httpx.post(url, content=raw, headers={"IP": "198.51.100.7"}, trust_env=False).json()
    assert stranger["action"] == "soft reject"
    _, verdict = ask(raw, rspamd.normal)
    assert verdict is not None
    assert verdict["action"] != b"soft reject"
    assert verdict["score"] >= 5


def test_a_soft_reject_is_no_verdict(rspamd: Rspamd) -> None:
    with pytest.raises(Failure, match="soft reject: as the test says"):
        ask(MESSAGES["soft-reject"], rspamd.normal, since=NOW - 7199)
    forged = MESSAGES["soft-reject"].replace(b"X-Test", b"X-Spam: no\nX-Test")
    raw, verdict = ask(forged, rspamd.normal, since=NOW - 7200)
    assert verdict is None
    marked = b"X-Spam-Status: unscanned (error: rspamd says soft reject: as the test says)\n"
    assert raw == header.add(
        MESSAGES["soft-reject"], header.boundary(MESSAGES["soft-reject"]), *marked[:-1].split(b": ", 1)
    )


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + b"\nbefore\0behind\n\0\n" + b"\0" * 3000 + b"\nend\n", id="NUL"),
        pytest.param(HEAD + b"\n" + bytes(range(256)) * 20 + b"\n", id="every octet"),
        pytest.param(HEAD + b"X-Long: " + b"y" * 300_000 + b"\n\n" + b"x" * 3_000_000 + b"\n", id="huge lines"),
        pytest.param(HEAD + b"X-\x80\xff: \xfe\0\n\n\xff\xfe\n", id="8-bit in names"),
    ],
)
def test_octets_survive(rspamd: Rspamd, raw: bytes) -> None:
    scanned, verdict = ask(raw, rspamd.normal)
    assert verdict is not None
    at = header.boundary(raw) - 1
    assert scanned.startswith(raw[:at] + b"X-Spam-Scanner: ")
    assert scanned.endswith(raw[at:])


def test_a_message_without_a_blank_line_keeps_being_one_without(rspamd: Rspamd) -> None:
    scanned, verdict = ask(HEAD, rspamd.normal)
    assert verdict is not None
    assert scanned.startswith(HEAD + b"X-Spam-Scanner: ")
    assert b"\n\n" not in scanned


def test_text_without_headers_gets_a_header_of_its_own(rspamd: Rspamd) -> None:
    scanned, verdict = ask(b"just text\nof two lines\n", rspamd.normal)
    assert verdict is not None
    assert scanned.startswith(b"X-Spam-Scanner: ")
    assert scanned.endswith(b"\n\njust text\nof two lines\n")


def test_an_empty_message_is_never_scanned(rspamd: Rspamd) -> None:
    with pytest.raises(Failure, match="empty message"):
        ask(b"", rspamd.normal)


def test_two_million_header_lines_are_scanned_in_time(rspamd: Rspamd) -> None:
    raw = HEAD + b"X-Spam-Z: 1\nX-B: 2\n" * 500_000 + BODY
    start = time.process_time()
    scanned, _ = ask(raw, rspamd.normal, scan_failure=DELIVER)
    assert time.process_time() - start < 15
    assert scanned.startswith(HEAD + b"X-B: 2\nX-B: 2\n")
    assert scanned.count(b"X-B: 2\n") == 500_000
    assert scanned.count(b"X-Spam-Z") == 0
