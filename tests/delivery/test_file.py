from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from rulesmith.delivery import file, stdout
from rulesmith.effects import Failure
from tests import system
from tests.recording import ME, RecordingWorld

MAIL = b"A: 1\n\nx\n"


def _store(word: str, path: Path, raw: bytes = MAIL, world: RecordingWorld | None = None) -> None:
    assert file.deliver((bytes(path), word), raw, ME, world or RecordingWorld()) == {}


def test_write_replaces_and_append_adds(tmp_path: Path) -> None:
    _store("write", tmp_path / "w", b"a longer message\n")
    _store("write", tmp_path / "w")
    _store("append", tmp_path / "a")
    _store("append", tmp_path / "a")
    assert (tmp_path / "w").read_bytes() == MAIL
    assert (tmp_path / "a").read_bytes() == MAIL + MAIL


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o007, 0o660)])
def test_the_mode_comes_from_file_umask(tmp_path: Path, umask: int, mode: int) -> None:
    _store("write", tmp_path / "w", world=RecordingWorld(file_umask=umask))
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == mode


def test_a_link_to_nothing_makes_the_file_it_means(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub/w")
    _store("append", tmp_path / "link")
    assert (tmp_path / "sub/w").read_bytes() == MAIL


def test_events_name_the_path(tmp_path: Path) -> None:
    world = RecordingWorld()
    _store("write", tmp_path / "w", world=world)
    _store("append", tmp_path / "w", world=world)
    path = bytes(tmp_path) + b"/w"
    assert world.events == [("writing", path), ("appending", path)]


@pytest.mark.parametrize("word", ["write", "append"])
def test_what_cannot_be_opened_fails_in_fdms_words(tmp_path: Path, word: str) -> None:
    (tmp_path / "folder").mkdir()
    for name, text in {"no/such": "No such file or directory", "folder": "Is a directory"}.items():
        with pytest.raises(Failure) as failure:
            _store(word, tmp_path / name)
        assert failure.value.text == f"{tmp_path}/{name}: fopen: {text}"


def test_an_empty_path_fails_in_fdms_words() -> None:
    with pytest.raises(Failure, match=r"^empty command$"):
        file.deliver((b"", "write"), MAIL, ME, RecordingWorld())


def test_devices_that_have_nothing_to_sync_are_fine() -> None:
    _store("write", Path("/dev/null"))
    _store("append", Path("/dev/null"))


def test_a_full_device_fails() -> None:
    with pytest.raises(Failure) as failure:
        _store("write", Path("/dev/full"))
    assert failure.value.text == "/dev/full: fwrite: No space left on device"


def test_a_sync_that_fails_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    system.replace(monkeypatch, "fsync", fsync)
    with pytest.raises(Failure) as failure:
        _store("write", tmp_path / "w")
    assert failure.value.text == f"{tmp_path}/w: fsync: Input/output error"


def test_a_fifo_takes_more_than_fits_into_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    raw = b"x" * 1_000_000 + b"\n"
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    _store("write", tmp_path / "fifo", raw)
    reader.join()
    assert got == [raw]


def test_a_fifo_that_nobody_reads_fails_when_the_time_is_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Failure) as failure:
        _store("append", tmp_path / "fifo", world=RecordingWorld(timeout=0.05))
    assert failure.value.text == f"{tmp_path}/fifo: fopen: Connection timed out"


def test_a_fifo_whose_reader_sleeps_fails_when_the_time_is_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(Failure) as failure:
        _store("append", tmp_path / "fifo", b"x" * 1_000_000, RecordingWorld(timeout=0.05))
    os.close(reader)
    assert failure.value.text == f"{tmp_path}/fifo: fwrite: Connection timed out"


def test_stdout_gets_the_message_octet_for_octet(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    world = RecordingWorld()
    assert stdout.deliver((), b"A: \0\xff\r\n", ME, world) == {}
    assert capfdbinary.readouterr().out == b"A: \0\xff\r\n"
    assert world.events == [("writing-stdout",)]


def test_a_closed_stdout_is_a_failure() -> None:
    kept = os.dup(1)
    os.close(1)
    try:
        with pytest.raises(Failure, match=r"^fwrite: Bad file descriptor$"):
            stdout.deliver((), MAIL, ME, RecordingWorld())
    finally:
        os.dup2(kept, 1)
        os.close(kept)
