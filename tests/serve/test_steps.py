"""A worker is killed at every call of the system: an answer is never before what it says, and nothing is lost."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest

from rulesmith import scanned
from rulesmith.effects import stopping
from rulesmith.log import Log
from rulesmith.options import parse
from rulesmith.serve.door import ServeDoor
from rulesmith.serve.handed import Handed
from rulesmith.serve.programs import Programs
from tests.door import warm
from tests.dying import end_at
from tests.promise.room import TARGETS, Room, a_mail

MAIL = a_mail()
SIGKILL = 9


def _serve(room: Room, memory: mmap.mmap) -> int:
    """One message, as a worker takes it."""
    call = room.call(MAIL)
    os.environ.clear()
    os.environ.update(call.env)
    os.chdir(room.folder)
    stopping.forget()
    words = [str(each) for each in call.args]
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)

    def tell(status: int = 0) -> None:
        # Where the test can see it after our death; only the first answer counts.
        if memory[0] == 0:
            memory[0] = 1 if status else 2

    message = Handed(MAIL, len(MAIL), -1)
    door = ServeDoor(parse(words), Log(quiet=True), words, message, Programs(lambda *_: None), tell, None)
    status = door.run()
    tell(status)
    door.settle(status, heard=True)
    door.close()
    return status


@pytest.mark.parametrize(
    ("queue", "top"),
    [(False, b""), (True, b""), (True, b"X-Spam: no\n")],
    ids=["journal", "queue", "queue and scan"],
)
def test_killed_at_every_call_of_the_system(
    queue: bool, top: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm()
    found = {"score": 1.0, "required": 15.0, "action": b"no action", "symbols": {}}
    monkeypatch.setattr(scanned, "scan", lambda raw, *_: (top + raw, found))
    settings = 'set scan "unix:/nowhere"\n' if top else ""
    for step in range(400):
        folder = tmp_path / str(step)
        folder.mkdir()
        room = Room(folder, queue, settings=settings)
        # The program is compiled before, so that every call belongs to the message.
        room.hand(b"")
        memory = mmap.mmap(-1, 1)
        status, _ = end_at(step, SIGKILL, lambda room=room, memory=memory: _serve(room, memory), wide=False)  # type: ignore[misc]
        told = memory[0] == 2
        assert memory[0] != 1
        if status == 0:
            assert told
            break
        if not told:
            assert room.hand(MAIL).status == 0
        assert room.work() == []
        copies = room.copies(top + MAIL)
        assert all(copies[name] >= 1 for name in TARGETS), (step, copies)
        assert copies.total() - len(TARGETS) <= 1, (step, copies)
    assert 20 < step < 399
    assert room.copies(top + MAIL) == dict.fromkeys(TARGETS, 1)
