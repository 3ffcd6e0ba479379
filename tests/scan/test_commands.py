"""`rulesmith learn` and `rulesmith ping`: what rspamd answered, and an exit status that says no less."""

from __future__ import annotations

import re
import socket
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith
from tests.scan import scripted
from tests.scan.rspamd import Rspamd
from tests.scan.scripted import ok, says

RAW = b"From: a@example.com\nSubject: s\n\nbody\n"


def _run(*words: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(rulesmith, list(words), input=stdin)


def _letter() -> bytes:
    """Enough words to learn from, and some that no letter before had."""
    words = " ".join(f"word{uuid.uuid4().hex}" for _ in range(60))
    return f"From: a@example.com\nMessage-ID: <{uuid.uuid4()}@x>\nSubject: {words[:60]}\n\n{words}\n".encode()


def test_learning_is_told_from_knowing_already(rspamd: Rspamd) -> None:
    letter = _letter()
    for kind, said in (
        ("spam", "learned as spam\n"),
        ("spam", "already learned as spam\n"),
        ("ham", "learned as ham\n"),
    ):
        result = _run("learn", kind, "--url", rspamd.controller, stdin=letter)
        assert (result.exit_code, result.stdout, result.stderr) == (0, said, "")


def test_a_message_with_too_few_words_is_not_learned(rspamd: Rspamd, tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_bytes(RAW)
    result = _run("learn", "ham", str(file), "--url", rspamd.controller)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("not learned: ")


def test_the_worker_that_scans_does_not_learn(rspamd: Rspamd) -> None:
    result = _run("learn", "spam", "--url", rspamd.normal, stdin=_letter())
    assert result.exit_code != 0
    assert result.stderr.startswith("not learned: ")


def test_rspamd_answers_a_ping_on_each_of_its_sockets(rspamd: Rspamd) -> None:
    for url in (rspamd.normal, rspamd.controller, f"http://127.0.0.1:{rspamd.port}"):
        result = _run("ping", "--url", url)
        assert result.exit_code == 0
        assert re.fullmatch(r"pong from rspamd [0-9][0-9.]+ at " + re.escape(url) + "\n", result.stdout)


ANSWERS = {
    "learned": (ok(b'{"success":true}'), 0, "learned as spam"),
    "known": (ok(b'{"error":"known"}', status=b"208 Known"), 0, "already learned as spam"),
    "too short": (b"HTTP/1.1 204 No\r\n\r\n", 1, "not learned: the message has too few words to learn from"),
    "not said": (ok(b"{}"), 75, "not learned: rspamd does not say that it was"),
    "not true": (ok(b'{"success":false}'), 75, "not learned: rspamd does not say that it was"),
    "no JSON": (ok(b"<html>"), 75, "not learned: rspamd does not say that it was"),
    "empty": (ok(b'{"error":"no\\r\\ntext"}', status=b"400 Bad"), 1, "not learned: rspamd answers 400: no??text"),
    "password": (ok(b"", status=b"401 No"), 1, "not learned: rspamd answers 401"),
    "too often": (ok(b"", status=b"429 Later"), 75, "not learned: rspamd answers 429"),
    "fault": (ok(b'{"error":"down"}', status=b"500 Oh"), 75, "not learned: rspamd answers 500: down"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_has_its_status(name: str) -> None:
    answer, status, said = ANSWERS[name]
    with scripted.rspamd(says(answer)) as server:
        result = _run("learn", "spam", "-", "--url", server.url, "--user", "me@home.example", stdin=RAW)
    assert (result.exit_code, result.output) == (status, said + "\n")
    assert (server.head.split(b" HTTP")[0], server.body) == (b"POST /learnspam", RAW)
    assert server.field("Deliver-To") == ["me@home.example"]
    assert server.field("User-Agent") == ["rspamc"]


def _field_of_learn(*words: str) -> list[str]:
    with scripted.rspamd(says(ok(b'{"success":true}'))) as server:
        assert _run("learn", "ham", "--url", server.url, *words, stdin=RAW).exit_code == 0
    return server.field("Password")


def test_the_controllers_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RSPAMD_PASSWORD", raising=False)
    assert _field_of_learn() == []
    monkeypatch.setenv("RSPAMD_PASSWORD", "from outside")
    assert _field_of_learn() == ["from outside"]
    file = tmp_path / "password"
    file.write_bytes("gr\u00fc\u00df\r\nnot this\n".encode())
    # The octets that rspamd has a hash of.
    assert [each.encode("latin-1").decode() for each in _field_of_learn("--password-file", str(file))] == [
        "gr\u00fc\u00df"
    ]


@pytest.mark.parametrize("text", [b"", b"\nsecond line\n", b"a\0b\n"])
def test_a_file_without_a_password_is_a_wrong_command(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(text)
    result = _run("learn", "ham", "--password-file", str(file), "--url", "unix:/nowhere", stdin=RAW)
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert _run("learn", "ham", "--password-file", str(tmp_path / "none"), stdin=RAW).exit_code == 2


def test_a_controller_that_wants_a_password_learns_with_it(rspamd: Rspamd, tmp_path: Path) -> None:
    file = tmp_path / "password"
    letter = _letter()
    for text, status in (("wrong", 1), ("let me in", 0)):
        file.write_text(text + "\n")
        words = ["--password-file", str(file), "--url", rspamd.closed]
        result = _run("learn", "spam", *words, stdin=letter)
        assert result.exit_code == status, result.output
    result = _run("learn", "spam", "--url", rspamd.closed, stdin=letter)
    assert (result.exit_code, result.stdout) == (1, "")


def test_where_nobody_answers_it_is_to_be_tried_again(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "ftp://nowhere"):
            for words in (["learn", "ham"], ["ping"]):
                result = _run(*words, "--url", url, stdin=RAW)
                assert (result.exit_code, result.stdout) == (75, "")
                assert "unreachable: " in result.stderr


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"garbage\r\n\r\n"])
def test_half_an_answer_is_none(answer: bytes) -> None:
    with scripted.rspamd(says(answer)) as server:
        result = _run("learn", "ham", "--url", server.url, stdin=RAW)
        assert result.exit_code == 75
        assert result.stderr.startswith("not learned: error: ")


def test_an_empty_message_is_not_shown_to_rspamd() -> None:
    result = _run("learn", "ham", "--url", "ftp://nowhere")
    assert (result.exit_code, result.stderr) == (1, "empty message\n")


def test_who_does_not_say_his_version_is_pinged_all_the_same() -> None:
    with scripted.rspamd(says(ok(b"pong\r\n", b"Server: nginx/1.2")), reads=False) as server:
        assert _run("ping", "--url", server.url).stdout == f"pong from rspamd at {server.url}\n"


def test_not_everything_that_answers_is_rspamd() -> None:
    with scripted.rspamd(says(ok(b"hello")), reads=False) as server:
        assert _run("ping", "--url", server.url).exit_code == 75


def test_what_is_neither_spam_nor_ham_is_a_wrong_command() -> None:
    assert _run("learn", "eggs", stdin=RAW).exit_code == 2
