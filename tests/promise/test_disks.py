"""Full and read-only disks: nothing is lost, and nothing is told that is not so."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.door import warm
from tests.promise.room import Room, a_mail

MAIL = a_mail(1, b"\n" + b"x" * 70 + b"\n") + b"y" * 30_000 + b"\n"
RULES = 'match all action { maildir "a" pipe "test -e healed && cat >>b" maildir "d" }\n'
CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 0x4000, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="small disks of one's own need root")


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What is mounted here is seen by this process and its children alone."""
    warm()
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        pytest.skip(f"no mounts of one's own here: {os.strerror(ctypes.get_errno())}")


def _mount(source: bytes, target: Path, kind: bytes, flags: int, data: bytes = b"") -> None:
    if libc.mount(source, bytes(target), kind, flags, data):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


@contextmanager
def _disk(folder: Path, octets: int) -> Iterator[None]:
    """A disk of this size at a folder, gone afterwards."""
    folder.mkdir()
    _mount(b"none", folder, b"tmpfs", 0, b"size=%d,mode=700" % octets)
    try:
        yield
    finally:
        libc.umount2(bytes(folder), 2)


def _deliver_in_the_end(room: Room, folder: Path) -> None:
    (folder / "healed").touch()
    room.mend(MAIL)
    assert room.copies(MAIL) == {"a": 1, "b": 1, "d": 1}


@pytest.mark.parametrize("octets", [4096, 8192, 16384])
def test_a_queue_on_a_full_disk_takes_nothing(octets: int, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=RULES)
    assert room.queue
    with _disk(room.queue, octets):
        outcome = room.hand(MAIL)
        assert (outcome.status, room.entries()) == (75, [])
        assert b"No space left" in outcome.stderr
        _deliver_in_the_end(room, tmp_path)


def test_a_queue_that_is_full_after_the_message_keeps_it(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=RULES)
    assert room.queue
    with _disk(room.queue, 9 * 4096):
        # The message fits, its progress does not: what is done may be done again, nothing is lost.
        filler = room.queue / "filler"
        filler.write_bytes(b"z" * 4096 * 8)
        assert room.hand(MAIL).status == 75
        filler.unlink()
        assert room.hand(MAIL).status == 0
        assert len(room.work()) == 1
        (tmp_path / "healed").touch()
        assert room.work() == []
    assert room.copies(MAIL)["d"] == 1


def test_a_journal_on_a_full_disk_is_told_of(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES)
    with _disk(room.journal, 4096):
        (room.journal / "filler").write_bytes(b"z" * 4096)
        outcome = room.hand(MAIL)
        assert (outcome.status, b"a retry may repeat deliveries" in outcome.stderr) == (75, True)
        assert room.records() == ["filler"]


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_a_read_only_disk(queue: bool, tmp_path: Path) -> None:
    room = Room(tmp_path, queue, rules=RULES)
    folder = room.queue or room.journal
    with _disk(folder, 1 << 20):
        _mount(b"none", folder, b"tmpfs", MS_REMOUNT | MS_RDONLY)
        outcome = room.hand(MAIL)
        assert (outcome.status, b"Read-only file system" in outcome.stderr) == (75, True)
        _mount(b"none", folder, b"tmpfs", MS_REMOUNT)
        (tmp_path / "healed").touch()
        room.mend(MAIL)
    copies = room.copies(MAIL)
    assert (copies["b"], copies["d"]) == (1, 1)
    # What could not be written down is done again; but instead of the queue there was the journal.
    assert copies["a"] == (1 if queue else 2)


def test_a_target_on_a_full_disk_and_the_message_is_tried_again(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=RULES)
    (tmp_path / "healed").touch()
    with _disk(tmp_path / "d", 4096 * 6):
        assert room.hand(MAIL).status == 75
        assert room.copies(MAIL) == {"a": 1, "b": 1, "d": 0}
        _mount(b"none", tmp_path / "d", b"tmpfs", MS_REMOUNT, b"size=1m")
        assert room.hand(MAIL).status == 0
        assert room.copies(MAIL) == {"a": 1, "b": 1, "d": 1}
    assert room.records() == []
