"""The `lmtp` action on a scripted server; tests/chain has it on the real Dovecot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.delivery import lmtp
from rulesmith.effects import Failure
from tests.scripted import CLOSE, server
from tests.worlds import USER, a_world

MESSAGE = b"Subject: a\n\n.b\n"
OK = b"250 ok\r\n"
WILLING = (b"220 hi\r\n", b"250-hi\r\n250-8BITMIME\r\n250 PIPELINING\r\n", OK, OK, b"354 go\r\n", OK, b"221 bye\r\n")


def send(host: bytes, port: int = 24) -> None:
    args = (host, b"%d" % port, b"from@example.org", b"to@example.org")
    assert lmtp.deliver(args, MESSAGE, USER, a_world()) == {}


def test_the_dialogue_begins_with_lhlo() -> None:
    with server(WILLING) as heard:
        send(b"127.0.0.1", heard.port)
    envelope = [b"MAIL FROM:<from@example.org>", b"RCPT TO:<to@example.org>"]
    assert heard == [b"LHLO " + a_world().fqdn(), *envelope, b"DATA", b"Subject: a\r\n\r\n..b\r\n", b"QUIT"]


def test_a_host_that_begins_with_a_slash_is_a_unix_socket(tmp_path: Path) -> None:
    with server(WILLING, tmp_path / "s") as heard:
        send(os.fsencode(tmp_path / "s"))
    assert heard[-1] == b"QUIT"


def test_a_socket_that_is_not_there_is_a_failure_in_the_words_of_fdm(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"^connectunix failed: connect: No such file or directory$"):
        send(os.fsencode(tmp_path / "none"))


def test_a_path_too_long_for_a_socket_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"^connectunix failed: connect: .*too long$"):
        send(b"/" + b"x" * 200)


def test_the_reply_for_the_recipient_decides() -> None:
    with (
        server([*WILLING[:5], b"452 4.2.2 over quota\r\n"]) as heard,
        pytest.raises(Failure, match=r"^unexpected response: 452 4\.2\.2 over quota$"),
    ):
        send(b"127.0.0.1", heard.port)


def test_once_taken_the_message_is_delivered_though_quit_is_not_answered() -> None:
    with server([*WILLING[:6], CLOSE]) as heard:
        send(b"127.0.0.1", heard.port)
    assert heard[-1] == b"QUIT"
