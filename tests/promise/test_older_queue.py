"""Messages that an earlier version has queued, and what this one does with the files of a later one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith import scanned
from rulesmith.delivery import queue as entries
from rulesmith.delivery.plan import step_name
from rulesmith.delivery.progress import Unreadable, pack
from rulesmith.effects import DELIVER
from tests.door import warm
from tests.promise.room import Room, a_mail

MAIL = a_mail()
NAME = "1700000000.000001.7"
KNOWN = b"0123456789" * 4


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _lay(room: Room, *more: bytes, mail: bytes = MAIL, version: bytes = b"1", kind: str = "mail") -> Path:
    """A message in the form of version 1, with these lines in its head."""
    call = room.call(b"")
    variables = [os.fsencode(part) for pair in call.env.items() for part in pair]
    lines = [
        pack(b"rulesmith-queue", version),
        pack(b"taken", b"1700000000"),
        pack(b"called", b"fdm", *[os.fsencode(str(word)) for word in call.args]),
        pack(b"in", bytes(room.folder), b"22"),
        pack(b"with", *variables),
        *more,
        pack(b"message"),
    ]
    assert room.queue
    room.queue.mkdir(0o700, exist_ok=True)
    path = room.queue / f"{NAME}.{kind}"
    path.write_bytes(b"".join(lines) + mail)
    return path


def _first_is_done(room: Room) -> None:
    user = (os.fsencode(room.user), os.geteuid(), os.getegid(), b"")
    step = step_name((DELIVER, "maildir", (bytes(room.folder / "a"),), user, b"")) + b".0"
    lines = [pack(b"rulesmith-progress", b"1"), pack(b"begin", b"1700000000"), pack(b"done", step, b"maildir a")]
    assert room.queue
    (room.queue / f"{NAME}.progress").write_bytes(b"".join(lines))


@pytest.mark.parametrize("kind", ["mail", "taken"])
def test_what_an_earlier_version_has_queued_is_delivered(kind: str, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    _lay(room, kind=kind)
    assert room.work() == []
    assert room.copies(MAIL) == dict.fromkeys("abcd", 1)
    assert [name for name in room.entries() if not name.endswith(".ghost")] == []


def test_what_it_has_delivered_is_not_delivered_again(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=f'match all action {{ maildir "{tmp_path}/a" maildir "d" }}\n')
    _lay(room)
    _first_is_done(room)
    assert room.work() == []
    assert room.copies(MAIL) == {"d": 1}


def test_its_scan_holds(tmp_path: Path) -> None:
    rules = 'match spam score > 7 action maildir "a"\nmatch all action drop\n'
    room = Room(tmp_path, queue=True, rules=rules, settings='set scan "unix:/nowhere"\n')
    scan = [pack(b"known", KNOWN), pack(b"scan", b"7.5", b"15.0", b"no action", b"A B", b"7.5")]
    _lay(room, *scan, mail=b"X: 1\n" + MAIL)
    assert room.work() == []
    assert room.copies(b"X: 1\n" + MAIL) == {"a": 1}


def test_what_it_has_not_scanned_is_scanned_and_its_file_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = {"score": 1.0, "required": 15.0, "action": b"no action", "symbols": {}}
    monkeypatch.setattr(scanned, "scan", lambda raw, *_: (b"X: 1\n" + raw, verdict))
    rules = 'match all action { maildir "a" pipe "test -e healed && cat >>b" }\n'
    room = Room(tmp_path, queue=True, rules=rules, settings='set scan "unix:/nowhere"\n')
    path = _lay(room)
    before = path.read_bytes()
    assert len(room.work()) == 1
    assert path.read_bytes() == before
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert room.copies(b"X: 1\n" + MAIL) == {"a": 1, "b": 1}


def test_its_message_is_known_when_it_is_handed_over_again(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    _lay(room, kind="taken")
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == dict.fromkeys("abcd", 1)
    assert (room.work(), room.entries()) == ([], [])


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    path = _lay(room, version=b"3")
    before = path.read_bytes()
    with pytest.raises(Unreadable):
        entries.look(bytes(path.parent), NAME.encode())
    assert room.work() == [NAME.encode()]
    assert path.read_bytes() == before
