"""Killed and stopped at every effect and every call: nothing is lost, at most the delivery under way is made twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rulesmith import fdm
from tests import system
from tests.door import warm
from tests.promise.room import TARGETS, Room, a_mail, dying_at_call, signal_at_effect

EFFECTS = 5  # who delivers, and four deliveries
MAIL = a_mail()
WITH_AND_WITHOUT = pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _check(room: Room, duplicates: int) -> None:
    room.mend(MAIL)
    copies = room.copies(MAIL)
    assert all(copies[name] >= 1 for name in TARGETS), copies
    assert copies.total() - len(TARGETS) <= duplicates, copies
    assert room.records() == []
    if room.queue:
        # What had not arrived, and what is remembered for a day, `queue run` sweeps up.
        assert [name for name in room.entries() if name[0] != "." and not name.endswith(".ghost")] == []


@WITH_AND_WITHOUT
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(EFFECTS))
def test_killed_at_every_effect(step: int, after: bool, queue: bool, tmp_path: Path) -> None:
    room = Room(tmp_path, queue)
    with signal_at_effect(step, signal.SIGKILL, after):
        assert room.hand(MAIL).status == -signal.SIGKILL
    _check(room, duplicates=int(after))


@WITH_AND_WITHOUT
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(EFFECTS))
def test_stopped_at_every_effect_nothing_is_made_twice(
    step: int, after: bool, queue: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None of these deliveries hangs, but a busy machine may take longer for one than a stop waits.
    monkeypatch.setattr(fdm, "STOP_GRACE", 30.0)
    room = Room(tmp_path, queue)
    with signal_at_effect(step, signal.SIGTERM, after):
        outcome = room.hand(MAIL)
    # The last delivery comes to its end, and with it the message.
    last = step == EFFECTS - 1
    assert outcome.status == (0 if queue or last else 75), outcome.stderr
    if outcome.status == 0:
        assert room.work() == []
        assert room.copies(MAIL) == dict.fromkeys(TARGETS, 1)
    else:
        _check(room, duplicates=0)


@WITH_AND_WITHOUT
def test_killed_at_every_call(queue: bool, tmp_path: Path) -> None:
    too_late = 0
    for step in range(400):
        folder = tmp_path / str(step)
        folder.mkdir()
        room = Room(folder, queue)
        # The program is compiled before, so that every call belongs to the message.
        room.hand(b"")
        with dying_at_call(step):
            status = room.hand(MAIL).status
        if status == 0:
            assert room.copies(MAIL) == dict.fromkeys(TARGETS, 1)
            break
        if room.queue and room.copies(MAIL).total() == len(TARGETS) and not _is_queued(room):
            # Its last call: the message is done with and forgotten, only the caller does not know.
            too_late += 1
        else:
            _check(room, duplicates=1)
    assert 20 < step < 399
    assert too_late <= 1


def _is_queued(room: Room) -> bool:
    return any(name.endswith((".taken", ".mail")) for name in room.entries())


def test_killed_in_the_queue_again_and_again(tmp_path: Path) -> None:
    """The caller never comes back: `queue run` alone brings the message to its end."""
    room = Room(tmp_path, queue=True)
    with signal_at_effect(1, signal.SIGKILL, after=True):
        assert room.hand(MAIL).status == -signal.SIGKILL
    for _ in range(2):
        with signal_at_effect(1, signal.SIGKILL, after=False):
            assert len(room.work()) == 1
    assert room.work() == []
    copies = room.copies(MAIL)
    assert all(copies[name] >= 1 for name in TARGETS)
    assert copies.total() <= len(TARGETS) + 1


# How fetchmail hands over one message, and an equal one that the provider took in a second time.
FETCHED = (
    b"Received: from mail.example [192.0.2.1]\n\tby here with IMAP (fetchmail-6.4.37)\n\tfor <me@x>; 10:%d\n"
    b"Received: from h (h.example [192.0.2.9]) by mx.example with ESMTPS id %d; 9:59\n"
) + MAIL


def _total(room: Room) -> int:
    """How many copies there are in a target, which must be as many as in each other one."""
    [count] = {sum(b"letter 1" in each for each in _stored(room.folder / name)) for name in ("a", "d")}
    return count


def _stored(maildir: Path) -> list[bytes]:
    return [path.read_bytes() for path in (maildir / "new").glob("*")]


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered since", "still queued"])
def test_a_message_that_is_handed_over_again_after_a_kill_is_not_delivered_again(
    delivered: bool, tmp_path: Path
) -> None:
    room = Room(tmp_path, queue=True)
    with signal_at_effect(2, signal.SIGKILL, after=False):
        room.hand(FETCHED % (0, 1))
    if delivered:
        assert room.work() == []
    assert room.hand(FETCHED % (5, 1)).status == 0
    assert (_total(room), room.work()) == (1, [])
    # One copy for one death: the next one is another message.
    assert room.hand(FETCHED % (9, 1)).status == 0
    assert _total(room) == 2


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered since", "still queued"])
def test_an_equal_message_that_came_another_way_is_another_message(delivered: bool, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    with signal_at_effect(2, signal.SIGKILL, after=False):
        room.hand(FETCHED % (0, 1))
    if delivered:
        assert room.work() == []
    # The first one is deleted at the provider before it is fetched again; its twin is there.
    assert room.hand(FETCHED % (5, 2)).status == 0
    assert room.work() == []
    assert _total(room) == 2


@pytest.mark.parametrize(("hours", "copies"), [(23, 1), (25, 2), (-23, 1), (-25, 2)])
def test_for_a_day_it_is_known_that_a_message_comes_again(
    hours: int, copies: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path, queue=True)
    with signal_at_effect(2, signal.SIGKILL, after=False):
        room.hand(FETCHED % (0, 1))
    assert room.work() == []
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + hours * 3600)
    assert room.hand(FETCHED % (5, 1)).status == 0
    assert _total(room) == copies


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_who_is_stopped_while_a_message_is_forgotten_forgets_it(
    queue: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow disk that may take longer than a stop waits."""
    room = Room(tmp_path, queue)
    plain = os.unlink

    def slow(path: bytes) -> None:
        if b"/queue/" in bytes(path) or b"/journal/" in bytes(path):
            os.kill(os.getpid(), signal.SIGTERM)
            while signal.getitimer(signal.ITIMER_REAL)[0]:
                pass  # until its patience is over, if it runs
        plain(path)

    system.replace(monkeypatch, "unlink", slow)
    assert room.hand(MAIL).status == 0
    monkeypatch.undo()
    assert (room.entries() if queue else room.records()) == []
    assert _total(room) == 1
