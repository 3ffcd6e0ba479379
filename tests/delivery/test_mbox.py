from __future__ import annotations

import errno
import fcntl
import gzip
import mailbox
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rulesmith.delivery import locks, mbox
from rulesmith.effects import Failure
from rulesmith.sources.mbox import Source
from tests import system
from tests.dying import die_at
from tests.recording import ME, RecordingWorld

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

LINE = b"From bob@example.org Mon Mar  2 10:00:00 2020"
MAIL = b"From: bob@example.org\n\nbody\n"
STORED = LINE + b"\n" + MAIL + b"\n\n"


def _deliver(
    path: Path, raw: bytes = MAIL, world: RecordingWorld | None = None, compress: bool = False
) -> dict[bytes, bytes]:
    return mbox.deliver((bytes(path), compress, LINE), raw, ME, world or RecordingWorld())


def _read(box: Path) -> list[bytes]:
    """The messages as an independent reader finds them."""
    reader = mailbox.mbox(str(box), create=False)
    try:
        return [bytes(message) for message in reader]
    finally:
        reader.close()


def test_messages_follow_each_other_with_two_empty_lines(tmp_path: Path) -> None:
    box = tmp_path / "a" / "b" / "box"
    assert _deliver(box) == {b"mbox_file": bytes(box)}
    _deliver(box)
    assert box.read_bytes() == STORED + STORED
    assert stat.S_IMODE(box.stat().st_mode) == 0o600
    assert stat.S_IMODE(box.parent.stat().st_mode) == 0o700
    assert len(_read(box)) == 2


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        (b"A: 1\n\nFrom here\n", b"A: 1\n\n>From here\n"),
        (b"A: 1\n\n>From here\n>>From x\n", b"A: 1\n\n>>From here\n>>>From x\n"),
        (b"A: 1\n\n> From no\nfrom no\nFrom:no\nFrom\n From no\nx>From no\n", None),
        (b"From pose@example.org\nX: 1\n", b">From pose@example.org\nX: 1\n"),
        (b">From pose@example.org\n", b">>From pose@example.org\n"),
        (b"a\nFrom at the end", b"a\n>From at the end"),
        (b"a\r\nFrom b\r\n", b"a\r\n>From b\r\n"),
    ],
)
def test_lines_that_look_like_separators_are_quoted(tmp_path: Path, raw: bytes, stored: bytes | None) -> None:
    _deliver(tmp_path / "box", raw)
    assert (tmp_path / "box").read_bytes() == LINE + b"\n" + (stored or raw) + b"\n\n"


def test_quoting_takes_time_in_proportion_to_the_message(tmp_path: Path) -> None:
    # A search back to the start of the line from each `From ` would take hours here.
    hostile = b">" * 300_000 + b"From " * 300_000
    _deliver(tmp_path / "box", hostile)
    assert (tmp_path / "box").read_bytes() == LINE + b"\n>" + hostile + b"\n\n"


def test_events_come_in_fdms_order_and_words(tmp_path: Path) -> None:
    world = RecordingWorld()
    _deliver(tmp_path / "sub" / "box", b"a\n>From b\nc\n", world)
    path = bytes(tmp_path) + b"/sub"
    assert world.events == [
        ("saving-mbox", path + b"/box"),
        ("creating", path),
        ("from-line", LINE),
        ("quoting", b">From b"),
    ]


def test_a_compressed_box_gets_a_member_for_each_message(tmp_path: Path) -> None:
    assert _deliver(tmp_path / "box", compress=True) == {b"mbox_file": bytes(tmp_path) + b"/box.gz"}
    assert _deliver(tmp_path / "box.gz", compress=True) == {b"mbox_file": bytes(tmp_path) + b"/box.gz"}
    assert os.listdir(tmp_path) == ["box.gz"]
    assert gzip.decompress((tmp_path / "box.gz").read_bytes()) == STORED + STORED


def test_a_box_with_another_mode_is_used_with_fdms_warning(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(b"x\n")
    box.chmod(0o644)
    world = RecordingWorld()
    _deliver(box, world=world)
    assert world.warnings == [bytes(box) + b": bad permissions: 644, should be 600"]
    assert box.read_bytes() == b"x\n" + STORED


@pytest.mark.parametrize("left", [b"From: half of a l", b"From: x\n\nhalf of a message\n"])
def test_what_a_dying_writer_left_does_not_swallow_the_separator(left: bytes, tmp_path: Path) -> None:
    """Nor does the account that reads mboxes find one message where there are two."""
    box = tmp_path / "box"
    box.write_bytes(STORED + LINE + b"\n" + left)
    box.chmod(0o600)
    _deliver(box)
    assert _read(box)[-1].startswith(b"From: bob@")
    found = [raw for raw, _, _ in Source((bytes(box),), RecordingWorld()).messages()]
    assert [len(found), found[-1].startswith(LINE + b"\n")] == [3, True]


def test_no_create_needs_an_existing_box(tmp_path: Path) -> None:
    world = RecordingWorld(no_create=True)
    with pytest.raises(Failure) as failure:
        _deliver(tmp_path / "box", world=world)
    assert failure.value.text == f"{tmp_path}/box: No such file or directory"
    (tmp_path / "box").touch(0o600)
    _deliver(tmp_path / "box", world=world)
    assert (tmp_path / "box").read_bytes() == STORED


def test_what_is_not_a_file_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere/box")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    expected = {
        "dangling": "No such file or directory",
        "fifo": "Invalid argument",
        "folder": "Is a directory",
        "/dev/null": "Invalid argument",
    }
    for name, text in expected.items():
        path = tmp_path / name
        with pytest.raises(Failure) as failure:
            _deliver(path)
        assert failure.value.text == f"{path}: {text}"


def test_an_empty_path_fails_in_fdms_words() -> None:
    with pytest.raises(Failure, match=r"^empty path$"):
        mbox.deliver((b"", False, LINE), MAIL, ME, RecordingWorld())


def _lock_elsewhere(path: Path, how: str) -> subprocess.Popen[bytes]:
    """Another process that holds a lock until its standard input is closed."""
    code = (
        "import fcntl, os, sys\n"
        "f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)\n"
        f"fcntl.{how}(f, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.mark.parametrize(("types", "how"), [(("flock",), "flock"), (("fcntl",), "lockf")])
def test_a_locked_box_is_waited_for_and_given_up_in_fdms_words(
    tmp_path: Path, types: tuple[str, ...], how: str
) -> None:
    box = tmp_path / "box"
    holder = _lock_elsewhere(box, how)
    with pytest.raises(Failure, match=r"/box: couldn't get lock in \d+\.\d\d\d seconds$"):
        _deliver(box, world=RecordingWorld(lock_types=types, lock_timeout=0.05))
    assert box.read_bytes() == b""
    world = RecordingWorld(lock_types=types, lock_timeout=60)

    def let_go_when_waited_for(event: str, *_: object) -> None:
        if event == "waiting-for-lock" and holder.stdin:
            holder.stdin.close()

    world.trace = let_go_when_waited_for
    _deliver(box, world=world)
    assert box.read_bytes() == STORED
    assert holder.wait() == 0
    assert holder.stdout
    holder.stdout.close()


def test_a_dotlock_is_honoured_and_removed(tmp_path: Path) -> None:
    box, lock = tmp_path / "box", tmp_path / "box.lock"
    lock.touch()
    world = RecordingWorld(lock_types=("dotlock",), lock_timeout=0)
    with pytest.raises(Failure, match=r"couldn't get lock"):
        _deliver(box, world=world)
    assert os.listdir(tmp_path) == ["box.lock"]
    lock.unlink()
    _deliver(box, world=world)
    assert os.listdir(tmp_path) == ["box"]


def test_the_box_is_locked_all_three_ways_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = tmp_path / "box"
    seen: list[object] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            seen.append((tmp_path / "box.lock").exists())
            with box.open("rb") as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        real(descriptor)

    system.replace(monkeypatch, "fsync", fsync)
    _deliver(box, world=RecordingWorld(lock_types=("flock", "dotlock")))
    assert seen == [True]


def test_no_lock_types_mean_no_lock(tmp_path: Path) -> None:
    box = tmp_path / "box"
    with box.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        _deliver(box, world=RecordingWorld(lock_types=()))
    assert box.read_bytes() == STORED


def test_a_box_that_was_replaced_while_we_waited_is_opened_again(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(b"old\n")
    box.chmod(0o600)
    old = box.open("rb")
    fcntl.flock(old, fcntl.LOCK_EX)
    waited: list[object] = []

    def replace(event: str, *args: object) -> None:
        if event == "waiting-for-lock" and not waited:
            waited.append(args)
            (tmp_path / "new").write_bytes(b"new\n")
            (tmp_path / "new").rename(box)
            old.close()

    world = RecordingWorld()
    world.trace = replace
    _deliver(box, world=world)
    assert box.read_bytes() == b"new\n" + STORED
    assert waited


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_write_that_fails_half_way_leaves_the_box_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool, failing: str
) -> None:
    box = tmp_path / "box.gz"
    _deliver(box, compress=compress)
    before = box.read_bytes()
    real_write, real_fsync = os.write, os.fsync
    calls: list[str] = []

    def write(descriptor: int, data: bytes) -> int:
        calls.append("write")
        if failing == "write" and len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(descriptor, data[:20])

    def fsync(descriptor: int) -> None:
        if failing == "fsync" and "fsync" not in calls:
            calls.append("fsync")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_fsync(descriptor)

    system.replace(monkeypatch, "write", write)
    system.replace(monkeypatch, "fsync", fsync)
    with pytest.raises(Failure) as failure:
        _deliver(box, compress=compress)
    assert failure.value.text == f"{box}: No space left on device"
    assert "write" in calls
    assert box.read_bytes() == before


@pytest.mark.parametrize("compress", [False, True])
def test_death_at_any_step_leaves_the_old_box_or_the_whole_message(tmp_path: Path, compress: bool) -> None:
    _deliver(tmp_path / "seed.gz", compress=compress)
    old = (tmp_path / "seed.gz").read_bytes()
    _deliver(tmp_path / "seed.gz", compress=compress)
    complete = (tmp_path / "seed.gz").read_bytes()
    outcomes = []
    for step in range(100):
        box = tmp_path / f"box{step}.gz"
        box.write_bytes(old)
        box.chmod(0o600)
        if not die_at(step, lambda box=box: _deliver(box, compress=compress)):  # type: ignore[misc]
            break
        assert box.read_bytes() in (old, complete)
        outcomes.append(box.read_bytes() == complete)
        _deliver(box, compress=compress)
    assert outcomes[0] is False
    assert outcomes[-1] is True


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    box = tmp_path / "box"
    children = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            try:
                for _ in range(25):
                    _deliver(box, world=RecordingWorld(lock_types=("fcntl", "dotlock"), lock_timeout=60))
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert box.read_bytes() == STORED * 100


def test_an_fcntl_lock_holds_against_our_own_process_too(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.touch(0o600)
    held = locks.LockedFile(bytes(box), os.O_RDWR, ("fcntl",), False, None)
    with pytest.raises(Failure, match=r"couldn't get lock"):
        _deliver(box, world=RecordingWorld(lock_types=("fcntl",), lock_timeout=0))
    held.close()
    _deliver(box, world=RecordingWorld(lock_types=("fcntl",), lock_timeout=0))


def test_a_termination_is_held_back_until_the_message_is_complete(tmp_path: Path) -> None:
    """In another process, whose default is to die at once."""
    box = tmp_path / "box"
    pid = os.fork()
    if not pid:
        real = os.fsync

        def fsync(fd: FileDescriptorLike) -> None:
            os.kill(os.getpid(), 15)
            real(fd)
            (tmp_path / "alive").touch()

        system.install("fsync", fsync)
        try:
            _deliver(box)
        finally:
            os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == 15
    assert (tmp_path / "alive").exists()
    assert box.read_bytes() == STORED
