"""`fdm --scan URL`: what `set scan` does, for this call and for every later try of its message."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from socket import socket

import pytest

from tests.door import Outcome, warm, warm_door
from tests.promise.room import Room, a_mail
from tests.scan.scripted import ok, rspamd, says
from tests.scan.test_faults import VERDICT

MAIL = a_mail()
ANSWER = says(ok(json.dumps(VERDICT).encode()))
RULES = 'match spam score > 7 action maildir "junk"\nmatch all action maildir "a"\n'


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _hand(room: Room, *words: str) -> Outcome:
    call = room.call(MAIL)
    return warm_door(replace(call, args=[*call.args, *words]))


def _in(room: Room, name: str) -> list[bytes]:
    return [path.read_bytes() for path in (room.folder / name / "new").glob("*")]


@pytest.mark.parametrize("form", ["{option} {url}", "{option}={url}"])
def test_the_flag_turns_the_scan_on(form: str, tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES)
    with rspamd(ANSWER) as asked:
        words = form.format(option="--scan", url=asked.url).split()
        assert _hand(room, *words).status == 0
    assert asked.body == MAIL
    [stored] = _in(room, "junk")
    assert b"\nX-Spam-Score: 7.25 / 15.00\n" in stored
    # It was for that call only: the compiled configuration that is kept says nothing of it.
    assert _hand(room).status == 0
    assert _in(room, "a") == [MAIL]


def test_it_wins_over_the_setting(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES, settings='set scan "unix:/nowhere"\n')
    with rspamd(ANSWER) as asked:
        assert _hand(room, "--scan", "unix:/elsewhere", "--scan", asked.url).status == 0
    assert len(_in(room, "junk")) == 1
    assert _hand(room, "--scan", "").status == 0
    assert _in(room, "a") == [MAIL]


def test_a_message_of_the_queue_keeps_it(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=RULES)
    answers = iter([says(b""), says(b""), ANSWER])

    def answer(client: socket) -> None:
        next(answers)(client)

    with rspamd(answer) as asked:
        assert _hand(room, "--scan", asked.url).status == 0
        assert len(room.work()) == 1
        assert room.work() == []
    assert len(_in(room, "junk")) == 1


def test_the_log_shows_it_among_the_settings(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES, settings='set scan "unix:/nowhere"\n')
    call = room.call(b"")
    args = [word for word in call.args if word not in ("-q", "fetch")]
    outcome = warm_door(replace(call, args=[*args, "-nvv", "--scan", "http://localhost"]))
    assert outcome.status == 0
    assert b'scan="http://localhost"' in outcome.stderr


@pytest.mark.parametrize("words", [["--scan", "ftp://x"], ["--scan=http://x/y"], ["--scan"]])
def test_what_is_no_address_is_a_faulty_command_line(words: list[str], tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES)
    outcome = _hand(room, *words)
    assert outcome.status == 75
    assert b"--scan" in outcome.stderr.splitlines()[0]
    assert _in(room, "a") == []
