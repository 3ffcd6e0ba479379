"""The folder of the queue: whose files are there, and under which names."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from rulesmith import queue_run
from rulesmith.delivery import queue as entries
from rulesmith.delivery.progress import Progress
from rulesmith.delivery.spool import Spool
from rulesmith.sources.stdin import Letter
from tests import system
from tests.promise.room import Room, a_mail


def test_a_message_that_another_user_has_laid_there_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which commands to run."""
    room = Room(tmp_path, queue=True, rules='match all action pipe "test -e healed && cat >>b"\n')
    assert room.hand(a_mail()).status == 0
    [name] = entries.names(bytes(tmp_path / "queue"))
    (tmp_path / "healed").touch()
    owner = os.geteuid()
    system.replace(monkeypatch, "geteuid", lambda: owner + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        entries.open_entry(bytes(tmp_path / "queue"), name)
    monkeypatch.undo()
    assert room.work() == []


def test_a_name_that_is_in_use_is_not_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two messages of one process in one microsecond: the clock was set back."""
    times = iter([1_700_000_000_000_001_000] * 3 + [1_700_000_000_000_002_000] * 3)
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    system.replace(monkeypatch, "getpid", lambda: 7)
    folder = bytes(tmp_path / "queue")
    context = entries.this_call(b"fdm", ["-f", "conf"])

    def receive(spool: Spool | None) -> Letter:
        letter = Letter(spool)
        letter.add(a_mail())
        return letter

    for _ in range(2):
        _, entry, _ = entries.take(folder, context, receive)
        assert entry is not None
        entry.tell()
        entry.close()
    assert len(entries.names(folder)) == 2


def test_a_message_whose_tries_cannot_be_written_down_has_its_pauses_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the queue is full, that of the mailbox is not: each try delivers once more."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    room = Room(tmp_path, queue=True, rules='match all action { maildir "a" pipe "test -e healed && cat >>b" }\n')
    monkeypatch.setattr(Progress, "_write", full)
    assert room.hand(a_mail()).status == 0
    said: list[str] = []
    runner = queue_run.Runner(bytes(tmp_path / "queue"), said.append)
    for _ in range(3):
        assert len(runner.once()) == 1
    (line,) = said
    assert "deferred for 5 seconds at most" in line
    assert room.copies(a_mail())["a"] == 2
    # Who asks for it by hand does not wait.
    (tmp_path / "healed").touch()
    assert room.work() == []
