"""An rspamd that is not there, or answers as none should: the message waits or goes on marked, and is never ham."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from rulesmith.effects import Failure
from rulesmith.limits import SCAN_REPLY_OCTETS
from rulesmith.mail import header
from tests.scan import scripted
from tests.scan.asking import DELIVER, NOW, ask
from tests.scan.scripted import drips, ok, says

RAW = b"From: a@example.com\nX-Spam: forged\nSubject: hello\n\nbody\n"
CLEAN = b"From: a@example.com\nSubject: hello\n"
VERDICT: dict[str, Any] = {
    "action": "add header",
    "score": 7.25,
    "required_score": 15,
    "symbols": {"A": {"name": "A", "score": 7.25}},
}


def _verdict(**more: object) -> bytes:
    return ok(json.dumps(VERDICT | more).encode())


def _chunked(*pieces: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)


FAULTS = {
    "hangs up": (says(b""), "error: the connection was closed before the answer was complete"),
    "resets": (scripted.resets, "error: connection broken: Connection reset by peer"),
    "dies in the head": (says(_verdict()[:30]), "error: the connection was closed before the answer was complete"),
    "dies in the body": (says(_verdict()[:-1]), "error: the connection was closed before the answer was complete"),
    "dies in a chunk": (says(_chunked(b"{}")[:-3]), "error: the connection was closed before the answer was complete"),
    "says 500": (says(ok(b'{"error":"out of luck"}', status=b"500 Oh")), "error: rspamd answers 500: out of luck"),
    "says 500 and garbage": (says(ok(b"<html>", status=b"500 Oh")), "error: rspamd answers 500"),
    "says 403": (says(ok(b"", status=b"403 No")), "error: rspamd answers 403"),
    "says 204": (says(b"HTTP/1.1 204 Nothing\r\n\r\n"), "error: rspamd answers 204"),
    "moves away": (says(ok(b"", b"Location: /", status=b"302 Moved")), "error: rspamd answers 302"),
    "finds it too big": (says(ok(b"", status=b"413 Too big")), "oversized: rspamd answers 413"),
    "is no HTTP": (says(b"220 mail.example ESMTP\r\n" * 9), "error: no HTTP answer: 220 mail.example ESMTP"),
    "is garbage": (says(bytes(range(256)) * 900), "error: no HTTP answer: "),
    "is one line": (says(b"H" * 200_000), "error: a line of the answer does not end"),
    "has an endless head": (says(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000), "error: the header of the answer"),
    "has a garbled head": (says(b"HTTP/1.1 200 OK\r\nwhat\r\n\r\n"), "error: the header of the answer is garbled"),
    "is empty": (says(ok(b"")), "error: the answer is no JSON"),
    "is HTML": (says(ok(b"<html>hello</html>")), "error: the answer is no JSON"),
    "is a list": (says(ok(b"[]")), "error: the answer is no JSON object"),
    "has something behind": (says(ok(b"{} {}")), "error: the answer is no JSON object"),
    "is deep": (says(ok(b"[" * 500_000)), "error: the answer is no JSON"),
    "has a huge number": (says(_verdict().replace(b"7.25", b"9" * 5000, 1)), "error: "),
    "is no verdict": (says(ok(b'{"success":true}')), "error: the answer holds no verdict"),
    "has no score": (says(_verdict(score=None)), "error: the answer holds no verdict"),
    "has a NaN": (says(_verdict(score=float("nan"))), "error: the answer holds no verdict"),
    "has an infinite score": (says(_verdict(score=1e999)), "error: the answer holds no verdict"),
    "has true for a score": (says(_verdict(score=True)), "error: the answer holds no verdict"),
    "has no action": (says(_verdict(action=None)), "error: the answer holds no verdict"),
    "is packed": (says(ok(b"x", b"Content-Encoding: zstd")), "error: the answer is encoded"),
    "is too long by its own account": (says(ok(b"x", b"Content-Length: 99999999")), "error: the answer is longer"),
    "has a senseless length": (says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "error: the answer has no sens"),
    "is too long": (says(b"HTTP/1.0 200 OK\r\n\r\n" + b" " * (SCAN_REPLY_OCTETS + 100_000)), "error: the answer is lo"),
    "has garbled chunks": (says(_chunked(b"{}") + b"zz\r\n"), "error: the pieces of the answer are garbled"),
    "has chunks that lie": (says(_chunked(b"{}").replace(b"2;", b"1;")), "error: the pieces of the answer are garbled"),
    "has a huge chunk": (says(_chunked(b"{}").replace(b"2;", b"fffffff;")), "error: the answer is longer"),
    "has one more coding": (
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), "error: the answer comes in a transfer"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_it_says_the_message_waits_or_goes_on_marked(name: str) -> None:
    answer, why = FAULTS[name]
    with scripted.rspamd(answer) as server:
        with pytest.raises(Failure) as deferred:
            ask(RAW, server.url, since=NOW)
        assert deferred.value.text.startswith("spam scan: " + why)
        warned: list[str] = []
        raw, verdict = ask(RAW, server.url, scan_failure=DELIVER, warned=warned)
    assert verdict is None
    assert len(warned) == 1
    head, _, body = raw.partition(b"\n\n")
    assert body == b"body\n"
    assert head.startswith(CLEAN + b"X-Spam-Status: unscanned (" + why.encode())
    assert head.count(b"\n") == 2
    assert head.endswith(b")")
    assert len(head) < 500


def test_a_server_that_says_nothing_has_until_the_timeout() -> None:
    said = pytest.raises(Failure, match=r"timeout: no answer within 0\.2 s")
    with scripted.rspamd(scripted.waits) as server, said:
        ask(RAW, server.url, scan_timeout=0.2)


def test_dripping_does_not_stretch_the_timeout() -> None:
    # The whole of it would take minutes.
    with scripted.rspamd(drips(_verdict(), 1)) as server:
        start = time.monotonic()
        with pytest.raises(Failure, match=r"timeout: no answer within 0\.3 s"):
            ask(RAW, server.url, scan_timeout=0.3)
        assert time.monotonic() - start < 30


def test_a_server_that_does_not_read_has_until_the_timeout() -> None:
    with scripted.rspamd(scripted.waits, reads=False) as server, pytest.raises(Failure, match="timeout: "):
        ask(RAW + b"x" * 30_000_000, server.url, scan_timeout=0.3)


def test_an_answer_before_the_message_was_read_is_heard() -> None:
    hurried = says(ok(b"", status=b"413 Too big"))
    # Whether the answer gets through before the connection breaks is up to TCP.
    why = pytest.raises(Failure, match=r"oversized: rspamd answers 413|error: connection broken")
    with scripted.rspamd(hurried, reads=False) as server, why:
        ask(RAW + b"x" * 30_000_000, server.url)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_chunked_answer_is_put_together(size: int) -> None:
    body = json.dumps(VERDICT).encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    with scripted.rspamd(says(_chunked(*pieces) + b"0\r\nX-Trailer: 1\r\n\r\n")) as server:
        raw, verdict = ask(RAW, server.url)
    assert verdict is not None
    assert verdict["score"] == 7.25
    assert b"X-Spam-Score: 7.25 / 15.00\n" in raw


def test_an_answer_in_single_octets_is_put_together() -> None:
    with scripted.rspamd(drips(b"HTTP/1.1 100 Go on\r\n\r\n" + _verdict(), 0)) as server:
        assert ask(RAW, server.url)[1] is not None


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    with scripted.rspamd(says(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(VERDICT).encode())) as server:
        assert ask(RAW, server.url)[1] is not None


EVIL = "x\r\nX-Evil: 1\r\n\r\nevil\n.\r\0\x0b"


def test_no_value_of_an_answer_begins_a_line() -> None:
    evil = {
        "action": "rewrite subject" + EVIL,
        "symbols": {EVIL: {"score": 1}, "B\nX-Evil: 2": {"score": 1}, "listed": []},
        "dkim-signature": ["v=1;\r\n\tb=abc" + EVIL, EVIL, 7],
        "milter": {
            "add_headers": {
                "X-Evil: 3\r\nX-Evil": "4", "X Evil": "5", "": "6", "X-Good": [{"value": EVIL, "order": 0}, EVIL],
            },
            "remove_headers": {"subject\n": 0, "from": "0", "to": True},
        },
    }  # fmt: skip
    with scripted.rspamd(says(_verdict(**evil))) as server:
        raw, verdict = ask(RAW, server.url)
    assert verdict is not None
    head = raw[: header.boundary(raw)]
    assert raw[len(head) :] == b"body\n"
    assert head.startswith(CLEAN)
    names = [field.partition(b":")[0] for field in header.fields(head)]
    assert names == [
        b"From", b"Subject", b"X-Spam-Scanner", b"X-Spam-Scan-Time", b"X-Spam-Action", b"X-Spam-Score",
        b"X-Spam-Level", b"X-Spam-Symbols", b"DKIM-Signature", b"DKIM-Signature", b"X-Good", b"X-Good", b"\n",
    ]  # fmt: skip
    assert b"\r" not in head
    assert b"\0" not in head
    assert b"DKIM-Signature: v=1;\n\tb=abcx\n\tX-Evil: 1\n\tevil\n\t.\n" in head


@pytest.mark.parametrize(("score", "required", "spam"), [(14.9, 15, False), (15, 15, True), (3, 0, False)])
def test_a_soft_reject_is_spam_where_the_points_alone_say_so(score: float, required: float, spam: bool) -> None:
    said = b'{"action":"soft reject","score":%g,"required_score":%g,"symbols":{}}' % (score, required)
    with scripted.rspamd(says(ok(said))) as server:
        raw, verdict = ask(RAW, server.url, scan_failure=DELIVER)
    assert (verdict is not None, b"\nX-Spam: yes\n" in raw, b"unscanned" in raw) == (spam, spam, not spam)


def test_a_new_subject_begins_no_line_either() -> None:
    with scripted.rspamd(says(_verdict(action="rewrite subject", subject="*** " + EVIL))) as server:
        raw, _ = ask(RAW, server.url)
    subject = header.first(raw[: header.boundary(raw)], b"subject")
    assert subject is not None
    assert subject.startswith(b"*** x  X-Evil: 1")
    assert b"\nX-Evil" not in raw


def test_so_much_and_no_more_goes_into_the_header() -> None:
    much = {"symbols": {f"S{number}_{'x' * 400}": {"score": 1} for number in range(3000)}, "action": "a" * 100_000}
    with scripted.rspamd(says(_verdict(**much))) as server:
        raw, verdict = ask(RAW, server.url)
    assert verdict is not None
    assert len(verdict["symbols"]) == 1000
    assert len(raw) < 300_000


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        for url, why in (
            (f"http://127.0.0.1:{port}", "Connection refused"),
            (f"unix:{tmp_path}/none", "No such file or directory"),
            ("unix:" + "/x" * 60, "AF_UNIX path too long"),
            ("http://no-such-host.invalid", "no-such-host.invalid:11333: "),
            ("https://example.com", "neither http"),
            ("unix:relative", "neither http"),
            ("http://[::1", "neither http"),
            ("http://host:99999", "neither http"),
            ("http://host/checkv2", "neither http"),
        ):
            with pytest.raises(Failure, match="unreachable: ") as deferred:
                ask(RAW, url)
            assert why in deferred.value.text


def test_a_message_over_the_limit_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="oversized: 56 bytes are more than scan-maximum-size"):
        ask(RAW, f"unix:{tmp_path}/none", scan_maximum_size=len(RAW) - 1)
    with pytest.raises(Failure, match="unreachable"):
        ask(RAW, f"unix:{tmp_path}/none", scan_maximum_size=len(RAW))


def test_each_cause_has_a_policy_of_its_own(tmp_path: Path) -> None:
    policy = {"unreachable": ("deliver", None), "timeout": ("defer", None), "error": ("defer", 60)}
    assert ask(RAW, f"unix:{tmp_path}/none", scan_failure=policy)[1] is None
    with scripted.rspamd(says(b"")) as server:
        with pytest.raises(Failure, match=r"goes on without one in 1 minutes"):
            ask(RAW, server.url, scan_failure=policy, since=NOW - 1)
        assert ask(RAW, server.url, scan_failure=policy, since=NOW - 60)[1] is None
    with scripted.rspamd(scripted.waits) as server, pytest.raises(Failure):
        ask(RAW, server.url, scan_failure=policy, since=0, scan_timeout=0.1)
