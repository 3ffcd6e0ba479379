"""From a move to what rspamd has learned: the program that Dovecot runs, the spool, the service."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith.container import learning
from rulesmith.container.learning import Spool, Teacher, pause
from rulesmith.scan.cold import Rspamd as Client
from rulesmith.scan.no_verdict import NoVerdict
from tests.parts import needed
from tests.scan.rspamd import Rspamd

PROGRAM = Path(__file__).parents[2] / "image" / "sieve-bin" / "learn"
GOOD = (200, b'{"success":true}')
KNOWN = (208, b'{"error":"known"}')
SHORT = (204, b"")
FAULT = (500, b'{"error":"Cannot make redis request"}')
REFUSED = (400, b'{"error":"no"}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "learn"


def _moved(
    folder: Path, kind: str, raw: bytes, user: str = "u@x", box: str = "Junk", **more: str
) -> subprocess.CompletedProcess[bytes]:
    """As Dovecot runs it: without PATH."""
    env = {"HOME": "/nonexistent", "HOST": "h", "PWD": "/", "USER": user, "LEARN_SPOOL": str(folder), **more}
    return subprocess.run([PROGRAM, kind, user, box], input=raw, env=env, cwd="/", capture_output=True, check=False)


def _put(folder: Path, kind: str, raw: bytes, **more: str) -> None:
    done = _moved(folder, kind, raw, **more)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


class Scripted:
    """A controller that answers by what a message begins with; `taught` is what it took."""

    def __init__(self, **answers: tuple[int, bytes] | None) -> None:
        self.answers = answers
        self.taught: list[tuple[str, bytes]] = []

    def learn(self, kind: str, raw: bytes, user: bytes) -> tuple[int, bytes]:
        assert user == b"u@x"
        answer = self.answers.get(raw.split(b"\n")[0].decode(), GOOD)
        if answer is None:
            raise NoVerdict("unreachable", "nobody")
        if answer in (GOOD, KNOWN):
            self.taught.append((kind, raw))
        return answer


def test_a_message_lies_in_the_spool_as_it_was_delivered(folder: Path) -> None:
    raw = b"Subject: x\r\n\r\na\rb \0 \r\r\nlast\r\nno end"
    _put(folder, "ham", raw, user="ä b@x y", box="Über 'mich' \"$(id)\"")
    (name,) = Spool(folder).waiting()
    move = Spool(folder).read(name)
    assert move.raw == b"Subject: x\n\na\rb \0 \r\nlast\nno end"
    assert (move.kind, move.user.decode(), move.folder.decode()) == ("ham", "ä b@x y", "Über 'mich' \"$(id)\"")
    assert (folder / "new" / name).stat().st_mode & 0o777 == 0o600
    assert list((folder / "tmp").iterdir()) == []


def test_a_full_spool_takes_nothing_and_says_so(folder: Path) -> None:
    for _ in range(3):
        _put(folder, "spam", b"a\n", LEARN_MOST="4")
    for bound in ({"LEARN_MOST": "3"}, {"LEARN_ROOM": "4"}):
        done = _moved(folder, "spam", b"a\n", **bound)
        assert done.returncode == 75
        assert done.stderr.startswith(b"not learned as spam: u@x: Junk: ")
    assert len(Spool(folder).waiting()) == 3


def test_a_spool_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")
    done = _moved(folder, "spam", b"a\n")
    assert done.returncode == 75
    assert b"not learned as spam: u@x: Junk: there is no spool" in done.stderr


def test_a_name_of_two_lines_cannot_forge_a_head(folder: Path) -> None:
    assert _moved(folder, "spam", b"a\n", box="x\ny").returncode == 75
    assert Spool(folder).waiting() == []


def test_moves_are_taught_in_their_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, kind in enumerate(("spam", "ham", "ham", "spam")):
        _put(folder, kind, b"%d\nbody\n" % number)
    rspamd = Scripted(**{"1": KNOWN, "2": SHORT})
    assert Teacher(Spool(folder), rspamd).round() == ""
    assert rspamd.taught == [("spam", b"0\nbody\n"), ("ham", b"1\nbody\n"), ("spam", b"3\nbody\n")]
    assert Spool(folder).waiting() == []
    assert capsys.readouterr().out.splitlines() == [
        "u@x: Junk: learned as spam",
        "u@x: Junk: already learned as ham",
        "u@x: Junk: not learned: the message has too few words to learn from",
        "u@x: Junk: learned as spam",
    ]


@pytest.mark.parametrize("answer", [None, FAULT, (401, b""), (200, b"{}")])
def test_while_rspamd_is_away_everything_waits(folder: Path, answer: tuple[int, bytes] | None) -> None:
    for raw in (b"a\n", b"b\n"):
        _put(folder, "spam", raw)
    rspamd = Scripted(a=answer, b=answer)
    teacher = Teacher(Spool(folder), rspamd)
    for _ in range(20):
        assert teacher.round().startswith("u@x: Junk: not learned as spam yet: ")
    rspamd.answers = {}
    assert teacher.round() == ""
    assert [raw for _, raw in rspamd.taught] == [b"a\n", b"b\n"]


def test_what_rspamd_cannot_bear_is_put_aside_and_holds_up_nobody(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for raw in (b"poison\n", b"a\n", b"refused\n", b"b\n"):
        _put(folder, "spam", raw)
    rspamd = Scripted(poison=None, refused=REFUSED)
    teacher = Teacher(Spool(folder), rspamd)
    rounds = 0
    while teacher.round():
        rounds += 1
        assert rounds < 10
    assert rounds >= 2, "one failure is no proof"
    assert [raw for _, raw in rspamd.taught] == [b"a\n", b"b\n"]
    assert sorted(file.read_bytes().split(b"\n", 3)[3] for file in (folder / "bad").iterdir()) == [
        b"poison\n",
        b"refused\n",
    ]
    said = capsys.readouterr().out
    assert said.count(f"put aside: {folder}/bad/") == 1
    assert f"u@x: Junk: not learned: rspamd answers 400: no: {folder}/bad/" in said


def test_a_poison_alone_in_the_spool_is_tried_on(folder: Path) -> None:
    _put(folder, "spam", b"poison\n")
    teacher = Teacher(Spool(folder), Scripted(poison=None))
    assert all(teacher.round() for _ in range(20))
    assert len(Spool(folder).waiting()) == 1


@pytest.mark.parametrize("octets", [b"", b"spam\nuser\n", b"eggs\nu\nJunk\nraw\n"])
def test_what_is_no_move_is_put_aside(folder: Path, octets: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "7.1").write_bytes(octets)
    assert Teacher(Spool(folder), Scripted()).round() == ""
    assert [path.name for path in (folder / "bad").iterdir()] == ["7.1"]
    assert "7.1 is no message that was moved" in capsys.readouterr().out


def test_few_messages_are_kept_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_ASIDE", 2)
    (folder / "new").mkdir(parents=True)
    for number in range(5):
        (folder / "new" / f"{number}.1").write_bytes(b"")
    assert Teacher(Spool(folder), Scripted()).round() == ""
    assert sorted(path.name for path in (folder / "bad").iterdir()) == ["3.1", "4.1"]


def test_an_empty_message_is_not_shown_to_rspamd(folder: Path) -> None:
    _put(folder, "spam", b"")
    rspamd = Scripted()
    assert Teacher(Spool(folder), rspamd).round() == ""
    assert (rspamd.taught, Spool(folder).waiting()) == ([], [])


def test_halves_of_killed_programs_are_swept_up(folder: Path) -> None:
    _put(folder, "spam", b"a\n")
    old, young = folder / "tmp" / "1.1", folder / "tmp" / "2.1"
    for draft in (old, young):
        draft.write_bytes(b"spam\nu")
    os.utime(old, (time.time() - 7200,) * 2)
    Spool(folder).sweep()
    assert list((folder / "tmp").iterdir()) == [young]


def test_a_name_in_the_log_moves_no_cursor(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(folder, "spam", b"a\n", box="\x1b[2J\r")
    assert Teacher(Spool(folder), Scripted()).round() == ""
    assert capsys.readouterr().out == "u@x: \\x1b[2J\\x0d: learned as spam\n"


def test_pauses_grow_to_five_minutes() -> None:
    assert [pause(failures) for failures in (0, 1, 2, 3, 8, 9, 5000)] == [1, 2, 4, 8, 256, 300, 300]


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    made = needed(Rspamd, Path(__file__).parents[1] / "scan" / "rules.lua")
    yield made
    made.close()


def test_a_message_that_is_moved_to_junk_and_back_is_ham(
    rspamd: Rspamd, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(f"word{uuid.uuid4().hex}" for _ in range(60))
    raw = f"From: a@example.com\r\nMessage-ID: <{uuid.uuid4()}@x>\r\nSubject: s\r\n\r\n{words}\r\n".encode()
    for kind, box in (("spam", "Junk"), ("ham", "INBOX"), ("spam", "Junk"), ("ham", "INBOX")):
        _put(folder, kind, raw, box=box)
    client = Client(rspamd.controller.encode(), 30)
    assert Teacher(Spool(folder), client).round() == ""
    assert client.learn("ham", raw.replace(b"\r\n", b"\n"), b"")[0] == 208
    client.close()
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "learned as spam",
        "learned as ham",
    ] * 2
