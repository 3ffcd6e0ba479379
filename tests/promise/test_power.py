"""The power goes: of the queue and the journal only what was synced is there, and that is enough; and not too much is.

A disk as unkind as POSIX allows: a file has the octets of its last fsync, a folder the names of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from rulesmith import scanned
from tests import system
from tests.door import warm
from tests.promise.room import TARGETS, Room, a_mail, dying_at_call, signal_at_effect

MAIL = a_mail()
SCORE = re.compile(rb"X-Spam-Score: (\w+)\n")
VERDICT = {"score": 1.5, "required": 15.0, "action": b"no action", "symbols": {b"A B%": 1.5}}
WITH_AND_WITHOUT = pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scan has another verdict."""

    def scan(raw: bytes, *_: object) -> tuple[bytes, dict[str, object]]:
        return b"X-Spam-Score: %s\n%s" % (os.urandom(4).hex().encode(), raw), VERDICT

    monkeypatch.setattr(scanned, "scan", scan)


class Disk:
    """What of a folder is synced; processes note it that are forked while it is watched."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self._folder = folder
        self._kept = kept
        kept.mkdir()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        plain = os.fsync

        def noted(descriptor: int) -> None:
            plain(descriptor)
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if path == self._folder:
                names = [f"{each.stat().st_ino} {each.name}\n" for each in path.iterdir() if each.is_file()]
                (self._kept / "names").write_text("".join(names))
            elif path.parent == self._folder:
                status = os.fstat(descriptor)
                (self._kept / str(status.st_ino)).write_bytes(os.pread(descriptor, status.st_size, 0))

        system.replace(patch, "fsync", noted)

    def lose_power(self) -> None:
        """Be as it was synced."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(0o700)
        names = self._kept / "names"
        for line in names.read_text().splitlines() if names.exists() else []:
            number, name = line.split(" ", 1)
            octets = self._kept / number
            (self._folder / name).write_bytes(octets.read_bytes() if octets.exists() else b"")
            (self._folder / name).chmod(0o600)


def _scans(room: Room) -> dict[str, list[bytes]]:
    """Of each target the scans of the copies there."""
    found = {}
    for name in TARGETS:
        path = room.folder / name
        files = [*path.glob("new/*")] if path.is_dir() else [path] * path.exists()
        found[name] = [scan for file in files for scan in SCORE.findall(file.read_bytes())]
    return found


def _killed_at(step: int, room: Room, disk: Disk, monkeypatch: pytest.MonkeyPatch, power: bool = True) -> bool:
    """Kill it instead of that call, with the power or without; whether there were so many calls."""
    # The program is compiled before, so that every call belongs to the message.
    room.hand(b"")
    with monkeypatch.context() as patch:
        disk.watch(patch)
        with dying_at_call(step):
            status = room.hand(MAIL).status
    if status == 0:
        return False
    if power:
        disk.lose_power()
    elif not any(name.endswith(".taken") for name in room.entries()) and all(_scans(room).values()):
        # The message is done with; only its caller does not know.
        return False
    room.mend(MAIL)
    return True


@WITH_AND_WITHOUT
def test_the_power_goes_at_every_call(queue: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(400):
        folder = tmp_path / str(step)
        folder.mkdir()
        room = Room(folder, queue)
        if not _killed_at(step, room, Disk(room.queue or room.journal, folder / "kept"), monkeypatch):
            break
        copies = room.copies(MAIL)
        assert all(copies[name] >= 1 for name in TARGETS), (step, copies)
        assert copies.total() - len(TARGETS) <= 1, (step, copies)
    assert 20 < step < 399


@pytest.mark.usefixtures("scans")
@pytest.mark.parametrize("power", [True, False], ids=["power cut", "kill"])
def test_all_copies_of_a_message_have_one_scan(power: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the power goes, but for that of the delivery under way."""
    for step in range(400):
        folder = tmp_path / str(step)
        folder.mkdir()
        room = Room(folder, queue=True, settings='set scan "unix:/nowhere"\n')
        if not _killed_at(step, room, Disk(folder / "queue", folder / "kept"), monkeypatch, power):
            break
        scans = _scans(room)
        every = [scan for found in scans.values() for scan in found]
        others = [scan for scan in every if scan != scans["d"][-1]]
        assert all(scans.values()), (step, scans)
        assert len(every) - len(TARGETS) <= 1, (step, scans)
        assert len(others) <= (len(every) - len(TARGETS) if power else 0), (step, scans)
    assert 20 < step < 399


@pytest.mark.usefixtures("scans")
@pytest.mark.parametrize("zeros", [True, False], ids=["empty", "missing"])
@pytest.mark.parametrize("octets", [1, 60, 130])
def test_a_scan_of_which_a_part_is_on_the_disk_is_made_again(octets: int, zeros: bool, tmp_path: Path) -> None:
    """It is not synced alone, so a disk may have the first blocks of it; and the length, but not the last blocks."""
    room = Room(tmp_path, queue=True, settings='set scan "unix:/nowhere"\n')
    with signal_at_effect(0, signal.SIGKILL, after=False):
        room.hand(MAIL)
    assert room.queue
    (path,) = room.queue.glob("*.taken")
    whole = path.read_bytes()
    assert whole.partition(MAIL)[2].count(b"X-Spam-Score:") == 1
    path.write_bytes(whole[:-octets] + bytes(octets if zeros else 0))
    # Its try was killed, and whoever looks after the queue tries it again.
    assert room.work() == []
    scans = _scans(room)
    assert {name: len(found) for name, found in scans.items()} == dict.fromkeys(TARGETS, 1)
    assert len({found[0] for found in scans.values()}) == 1


@pytest.mark.usefixtures("scans")
def test_the_scan_of_a_try_that_has_failed_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record is in a file of its own from then on, and so is what the next try delivers."""
    rules = 'match all action { pipe "test -e one && cat >>b" maildir "a" pipe "test -e two && cat >>c" maildir "d" }\n'
    room = Room(tmp_path, queue=True, rules=rules, settings='set scan "unix:/nowhere"\n')
    disk = Disk(tmp_path / "queue", tmp_path / "kept")
    with monkeypatch.context() as patch:
        disk.watch(patch)
        assert room.hand(MAIL).status == 0
        (tmp_path / "one").touch()
        assert len(room.work()) == 1
    disk.lose_power()
    (tmp_path / "two").touch()
    assert room.work() == []
    scans = _scans(room)
    assert {name: len(found) for name, found in scans.items()} == dict.fromkeys(TARGETS, 1)
    assert len({found[0] for found in scans.values()}) == 1


def _synced(room: Room, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced of the queue and the journal for one message, in that order."""
    noted = room.folder / "synced"
    plain = os.fsync

    def note(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if room.folder / "queue" in (path, path.parent) or room.journal in (path, path.parent):
            with noted.open("a") as file:
                file.write("folder\n" if path.is_dir() else "file\n")
        plain(descriptor)

    room.hand(a_mail(2))
    with monkeypatch.context() as patch:
        system.replace(patch, "fsync", note)
        assert room.hand(MAIL).status == 0
    return noted.read_text().split() if noted.exists() else []


@pytest.mark.usefixtures("scans")
def test_how_often_a_message_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is in the queue, each delivery but the last is one wait, the scan none."""
    scan = 'set scan "unix:/nowhere"\n'
    one, two = 'match all action maildir "a"\n', 'match all action { maildir "a" maildir "d" }\n'
    for rules, queue, waits in (
        (one, True, ["file", "folder"]),
        (two, True, ["file", "folder", "file"]),
        (one, False, []),
        (two, False, ["file", "folder"]),
    ):
        folder = tmp_path / f"{len(waits)} {queue}"
        folder.mkdir()
        assert _synced(Room(folder, queue, rules, scan), monkeypatch) == waits
