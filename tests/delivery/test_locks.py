from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from rulesmith.delivery import locks
from rulesmith.effects import Failure


def test_a_second_run_is_refused_in_fdms_words(tmp_path: Path) -> None:
    path = bytes(tmp_path / "L")
    lock = locks.take(path, wait=False, timeout=10)
    with pytest.raises(Failure) as failure:
        locks.take(path, wait=False, timeout=10)
    assert failure.value.text == f"already running ({tmp_path}/L exists)"
    lock.release()
    assert os.listdir(tmp_path) == []
    locks.take(path, wait=False, timeout=10).release()


def test_a_second_run_that_waits_gives_up_in_fdms_words(tmp_path: Path) -> None:
    path = bytes(tmp_path / "L")
    lock = locks.take(path, wait=False, timeout=10)
    with pytest.raises(Failure, match=r"/L: couldn't get lock in \d+\.\d\d\d seconds$"):
        locks.take(path, wait=True, timeout=0.05)
    lock.release()


def test_a_second_run_that_waits_gets_the_lock_when_the_first_ends(tmp_path: Path) -> None:
    path = bytes(tmp_path / "L")
    first = locks.take(path, wait=False, timeout=10)
    pauses: list[object] = []

    def trace(event: str, *args: object) -> None:
        if not pauses:
            first.release()
        pauses.append((event, args[0]))

    second = locks.take(path, True, 60, trace)
    assert pauses == [("waiting-for-lock", path)]
    assert (tmp_path / "L").exists()
    second.release()


def test_a_file_that_a_crash_left_stops_nobody(tmp_path: Path) -> None:
    path = bytes(tmp_path / "L")
    pid = os.fork()
    if not pid:
        locks.take(path, wait=False, timeout=10)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (tmp_path / "L").exists()
    locks.take(path, wait=False, timeout=10).release()
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_made_fails_in_fdms_words(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failure:
        locks.take(bytes(tmp_path / "no" / "L"), wait=True, timeout=10)
    assert failure.value.text == f"{tmp_path}/no/L: open: No such file or directory"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "L").symlink_to("elsewhere")
    with pytest.raises(Failure, match=r"/L: open: Too many levels of symbolic links$"):
        locks.take(bytes(tmp_path / "L"), wait=False, timeout=10)
    assert os.listdir(tmp_path) == ["L"]


def test_the_file_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        lock = locks.take(bytes(tmp_path / "L"), wait=False, timeout=10)
    finally:
        os.umask(before)
    assert (tmp_path / "L").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_lock_file_that_was_removed_by_hand_is_no_fault_at_the_end(tmp_path: Path) -> None:
    lock = locks.take(bytes(tmp_path / "L"), wait=False, timeout=10)
    (tmp_path / "L").unlink()
    lock.release()


def test_a_lock_on_a_file_that_its_holder_removed_meanwhile_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "L"
    real = fcntl.flock
    taken: list[int] = []

    def flock(descriptor: int, how: int) -> None:
        # The last holder ends between our open and our lock.
        if not taken:
            path.unlink()
        taken.append(descriptor)
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = locks.take(bytes(path), wait=False, timeout=10)
    assert len(taken) == 2
    assert path.exists()
    lock.release()


def test_the_default_is_fdms_place() -> None:
    assert locks.default_path((b"me", 1000, 1000, b"/home/me")) == b"/home/me/.fdm.lock"
    assert locks.default_path((b"root", 0, 0, b"/root")) == b"/var/run/fdm.lock"


@pytest.mark.parametrize("types", [("flock",), ("fcntl",), ("dotlock",), ("flock", "dotlock")])
def test_a_locked_file_gives_everything_back(tmp_path: Path, types: tuple[str, ...]) -> None:
    path = tmp_path / "box"
    before = os.listdir("/proc/self/fd")
    held = locks.LockedFile(bytes(path), os.O_RDWR, types, True, None)
    with pytest.raises(BlockingIOError):
        locks.LockedFile(bytes(path), os.O_RDWR, types, True, None)
    held.close()
    again = locks.LockedFile(bytes(path), os.O_RDWR, types, False, None)
    assert (held.created, again.created) == (True, False)
    again.close()
    assert os.listdir(tmp_path) == ["box"]
    assert os.listdir("/proc/self/fd") == before
