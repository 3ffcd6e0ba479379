from __future__ import annotations

import errno
import os
import re
import stat
import time
from pathlib import Path

import pytest

from rulesmith.delivery import maildir
from rulesmith.effects import Failure
from tests import system
from tests.dying import die_at
from tests.recording import ME, RecordingWorld

MAIL = b"A: 1\n\nFrom here\n" + b"x" * 100_000 + b"\n"


def _deliver(path: Path, world: RecordingWorld | None = None) -> Path:
    tags = maildir.deliver((bytes(path),), MAIL, ME, world or RecordingWorld())
    return Path(os.fsdecode(tags[b"mail_file"]))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_message_lies_in_new_under_fdms_name(tmp_path: Path) -> None:
    file = _deliver(tmp_path / "a" / "b" / "md")
    assert file.parent == tmp_path / "a/b/md/new"
    assert re.fullmatch(rf"\d+\.{os.getpid()}_\d+\.ho\\057st\\0721", file.name)
    assert file.read_bytes() == MAIL
    assert os.listdir(tmp_path / "a/b/md/tmp") == []
    assert sorted(os.listdir(tmp_path / "a/b/md")) == ["cur", "new", "tmp"]


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755)])
def test_modes_come_from_file_umask_and_not_from_the_process(
    tmp_path: Path, umask: int, file: int, folder: int
) -> None:
    before = os.umask(0o177)
    try:
        stored = _deliver(tmp_path / "sub" / "md", RecordingWorld(file_umask=umask))
        assert os.umask(0o177) == 0o177
    finally:
        os.umask(before)
    assert _mode(stored) == file
    assert {_mode(tmp_path / "sub" / name) for name in (".", "md", "md/cur", "md/new", "md/tmp")} == {folder}


def test_two_deliveries_of_one_second_have_two_names(tmp_path: Path) -> None:
    world = RecordingWorld()
    assert len({_deliver(tmp_path / "md", world) for _ in range(20)}) == 20
    assert len(os.listdir(tmp_path / "md/new")) == 20


def test_a_name_that_is_taken_in_new_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000)
    first = _deliver(tmp_path / "md")
    number = int(first.name.split("_")[1].split(".")[0])
    monkeypatch.setattr(maildir, "_number", [number])
    world = RecordingWorld()
    second = _deliver(tmp_path / "md", world)
    assert f"_{number + 1}." in second.name
    assert len(world.named("moving-failed")) == 1
    assert sorted(os.listdir(tmp_path / "md/new")) == sorted([first.name, second.name])
    assert os.listdir(tmp_path / "md/tmp") == []


def test_what_exists_with_another_mode_is_used_with_fdms_warning(tmp_path: Path) -> None:
    _deliver(tmp_path / "md")
    (tmp_path / "md").chmod(0o755)
    (tmp_path / "md/tmp").chmod(0o750)
    world = RecordingWorld()
    _deliver(tmp_path / "md", world)
    path = bytes(tmp_path)
    assert world.warnings == [
        path + b"/md: bad permissions: 755, should be 700",
        path + b"/md/tmp: bad permissions: 750, should be 700",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_other_owners_and_groups_are_named_in_fdms_words(tmp_path: Path) -> None:
    _deliver(tmp_path / "md")
    os.chown(tmp_path / "md/cur", 1, 2)
    world = RecordingWorld()
    _deliver(tmp_path / "md", world)
    path = bytes(tmp_path)
    assert world.warnings == [
        path + b"/md/cur: bad owner: 1, should be 0",
        path + b"/md/cur: bad group: 2, should be 0",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to any group")
def test_file_group_is_the_group_of_all_that_is_made(tmp_path: Path) -> None:
    world = RecordingWorld(file_group=1)
    file = _deliver(tmp_path / "sub" / "md", world)
    for path in (file, *file.parents[:3]):
        assert path.stat().st_gid == 1, path
    assert world.warnings == []
    _deliver(tmp_path / "sub" / "md", world)
    assert world.warnings == []


def test_no_create_makes_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"/md/tmp/\d+\.\d+_\d+\..*: No such file or directory$"):
        _deliver(tmp_path / "md", RecordingWorld(no_create=True))
    assert os.listdir(tmp_path) == []


def test_no_create_uses_an_existing_maildir(tmp_path: Path) -> None:
    for name in ("md/new", "md/tmp"):
        (tmp_path / name).mkdir(parents=True)
    assert _deliver(tmp_path / "md", RecordingWorld(no_create=True)).exists()


def test_a_file_in_the_place_of_the_maildir_fails_in_fdms_words(tmp_path: Path) -> None:
    (tmp_path / "md").touch()
    with pytest.raises(Failure) as failure:
        _deliver(tmp_path / "md")
    assert failure.value.text == f"{tmp_path}/md/cur/cur: Not a directory"


def test_a_file_in_the_way_of_the_maildir_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure) as failure:
        _deliver(tmp_path / "file" / "x" / "md")
    assert failure.value.text == f"{tmp_path}/file/x/md: Not a directory"


def test_an_empty_path_fails_in_fdms_words() -> None:
    with pytest.raises(Failure, match=r"^empty path$"):
        maildir.deliver((b"",), MAIL, ME, RecordingWorld())


def test_events_come_in_fdms_order(tmp_path: Path) -> None:
    world = RecordingWorld()
    file = _deliver(tmp_path / "md", world)
    path, name = bytes(tmp_path) + b"/md", os.fsencode(file.name)
    assert world.events == [
        ("saving-maildir", path),
        ("creating", bytes(tmp_path)),
        ("creating", path),
        ("creating", path + b"/cur"),
        ("creating", path + b"/new"),
        ("creating", path + b"/tmp"),
        ("trying", path + b"/tmp/" + name),
        ("writing", path + b"/tmp/" + name),
        ("moving", b".../tmp/" + name, b".../new/" + name),
    ]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        if len(data) < len(MAIL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[:1000])

    system.replace(monkeypatch, "write", write)
    with pytest.raises(Failure, match=r"No space left on device$"):
        _deliver(tmp_path / "md")
    assert [os.listdir(tmp_path / "md" / name) for name in ("tmp", "new")] == [[], []]


def test_a_folder_that_cannot_be_synced_takes_the_message_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _deliver(tmp_path / "md")
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    system.replace(monkeypatch, "fsync", fsync)
    with pytest.raises(Failure, match=r"Input/output error$"):
        _deliver(tmp_path / "md")
    assert len(os.listdir(tmp_path / "md/new")) == 1


def test_file_and_folder_are_synced_before_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _deliver(tmp_path / "md")
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}").removeprefix(str(tmp_path / "md")))
        real(descriptor)

    system.replace(monkeypatch, "fsync", fsync)
    file = _deliver(tmp_path / "md")
    assert synced == [f"/tmp/{file.name}", "/new"]


def test_a_file_system_without_hard_links_gets_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(old: bytes, new: bytes) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    system.replace(monkeypatch, "link", link)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000)
    first = _deliver(tmp_path / "md")
    number = int(first.name.split("_")[1].split(".")[0])
    monkeypatch.setattr(maildir, "_number", [number])
    second = _deliver(tmp_path / "md")
    assert first.read_bytes() == second.read_bytes() == MAIL
    assert first != second
    assert os.listdir(tmp_path / "md/tmp") == []


def test_death_at_any_step_leaves_the_whole_message_or_none_in_new(tmp_path: Path) -> None:
    outcomes = []
    for step in range(100):
        path = tmp_path / f"md{step}"
        if not die_at(step, lambda path=path: _deliver(path)):  # type: ignore[misc]
            break
        new = path / "new"
        found = [file.read_bytes() for file in new.iterdir()] if new.exists() else []
        assert found in ([], [MAIL])
        outcomes.append(bool(found))
        # ... and the next delivery works as if nothing had been.
        assert _deliver(path).read_bytes() == MAIL
    # It died before the link, and after it.
    assert outcomes[0] is False
    assert outcomes[-1] is True
    assert len(outcomes) > 10
