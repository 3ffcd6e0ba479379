from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from rulesmith.delivery import keys
from rulesmith.effects import Failure
from tests.delivery.test_tdb import FIXTURE, KEYS, MADE
from tests.dying import die_at
from tests.recording import RecordingWorld


def _open(path: Path, expire: int = -1, world: RecordingWorld | None = None) -> keys.Cache:
    return keys.open_cache(bytes(path), expire, world or RecordingWorld())


def test_a_key_is_there_after_it_was_added_and_not_after_it_was_removed(tmp_path: Path) -> None:
    cache = _open(tmp_path / "c")
    assert not cache.has(b"k")
    cache.add(b"k")
    assert cache.has(b"k")
    assert not cache.has(b"K")
    assert cache.remove(b"k")
    assert not cache.remove(b"k")
    assert not cache.has(b"k")
    cache.close()


def test_keys_are_octets_and_outlive_the_run(tmp_path: Path) -> None:
    odd = [b"\xff\0\n", "é".encode(), b" ", b"x" * 10_000]
    cache = _open(tmp_path / "c")
    for key in odd:
        cache.add(key)
    cache.close()
    cache = _open(tmp_path / "c")
    assert sorted(key for key, _ in cache.items()) == sorted(odd)
    assert cache.count() == 4
    cache.clear()
    assert list(cache.items()) == []
    cache.close()


def test_adding_again_makes_a_key_young_and_looking_does_not(tmp_path: Path) -> None:
    cache = _open(tmp_path / "c")
    cache.add(b"k", 1000)
    assert cache.has(b"k")
    assert list(cache.items()) == [(b"k", 1000)]
    begin = int(time.time())
    cache.add(b"k")
    ((_, when),) = cache.items()
    assert begin <= when <= time.time()
    cache.close()


def test_what_is_older_than_the_expiry_goes_when_the_cache_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = _open(tmp_path / "c")
    for when in (899, 900, 901):
        cache.add(b"%d" % when, when)
    cache.close()
    monkeypatch.setattr(time, "time", lambda: 1000.5)
    world = RecordingWorld()
    cache = _open(tmp_path / "c", 100, world)
    assert [key for key, _ in cache.items()] == [b"900", b"901"]
    path = bytes(tmp_path) + b"/c"
    assert world.events == [("opened-cache", path, 3), ("expired-cache", path, 1)]
    cache.close()


@pytest.mark.parametrize("expire", [-1, 0])
def test_nothing_goes_without_an_expiry(tmp_path: Path, expire: int) -> None:
    cache = _open(tmp_path / "c")
    cache.add(b"old", 1)
    cache.close()
    world = RecordingWorld()
    cache = _open(tmp_path / "c", expire, world)
    assert cache.has(b"old")
    assert world.events == [("opened-cache", bytes(tmp_path) + b"/c", 1)]
    cache.close()


def test_the_file_is_private_and_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        cache = _open(tmp_path / "c")
        cache.add(b"k")
        cache.close()
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == ["c"]
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o600


def test_an_empty_file_becomes_a_cache(tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    cache = _open(tmp_path / "c")
    cache.add(b"k")
    cache.close()
    cache = _open(tmp_path / "c")
    assert cache.has(b"k")
    cache.close()


def test_names_that_sqlite_gives_a_meaning_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (b":memory:", b"file:x?mode=memory", b"c\xff"):
        cache = keys.open_cache(name, -1, RecordingWorld())
        cache.add(b"k")
        cache.close()
        assert Path(os.fsdecode(name)).stat().st_size


def _other_database(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE keys (x)")
    base.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"alias ls='ls -l'\n"),
        lambda path: path.write_bytes(b"\0" * 5000),
        lambda path: path.write_bytes(b"SQLite format 3\0 and no more of it"),
        _other_database,
    ],
)
def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / ".bashrc"
    make(path)
    before = path.read_bytes()
    with pytest.raises(Failure) as failure:
        _open(path)
    assert failure.value.text == f"{path}: not a cache of rulesmith; the file is left as it is"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [".bashrc"]


def test_fdms_own_cache_is_left_as_it_is_with_the_command_that_takes_it_over(tmp_path: Path) -> None:
    path = tmp_path / "c.tdb"
    shutil.copy(FIXTURE, path)
    with pytest.raises(Failure) as failure:
        _open(path)
    assert failure.value.text == f"{path}: a cache that fdm made; take it over with: rulesmith cache import {path}"
    assert path.read_bytes() == FIXTURE.read_bytes()


def test_what_cannot_be_opened_fails_in_the_systems_words(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, text in {"no/c": "No such file or directory", "folder": "Is a directory"}.items():
        with pytest.raises(Failure) as failure:
            _open(tmp_path / name)
        assert failure.value.text == f"{tmp_path}/{name}: {text}"


def test_several_processes_at_once_lose_no_key(tmp_path: Path) -> None:
    children = []
    for child in range(4):
        pid = os.fork()
        if not pid:
            try:
                # All of them make the file.
                cache = _open(tmp_path / "c", 100)
                for number in range(10):
                    cache.add(b"%d %d" % (child, number))
                    assert cache.has(b"%d %d" % (child, number))
                cache.close()
            except BaseException:
                os._exit(1)
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    cache = _open(tmp_path / "c")
    assert cache.count() == 40
    cache.close()


def test_death_while_a_cache_is_made_harms_nobody(tmp_path: Path) -> None:
    steps = 0
    for step in range(20):
        path = tmp_path / f"c{step}"
        if not die_at(step, lambda path=path: _open(path).add(b"k")):  # type: ignore[misc]
            break
        steps += 1
        cache = _open(path)
        cache.add(b"after")
        assert cache.has(b"after")
        cache.close()
    assert steps > 2


def test_a_cache_whose_maker_was_killed_at_its_last_step_is_made_again(tmp_path: Path) -> None:
    """The pages are there, and the journal that undoes them: as somebody finds them who comes right after a kill."""
    base = sqlite3.connect(tmp_path / "c", isolation_level=None)
    base.execute("PRAGMA cache_size = 1")
    base.execute("BEGIN IMMEDIATE")
    base.execute("CREATE TABLE keys (key BLOB)")
    while not (tmp_path / "c").stat().st_size:
        base.execute("INSERT INTO keys VALUES (zeroblob(9999))")
    shutil.copy(tmp_path / "c-journal", tmp_path / "killed-journal")
    base.execute("COMMIT")
    base.close()
    shutil.copy(tmp_path / "c", tmp_path / "killed")
    cache = _open(tmp_path / "killed")
    cache.add(b"k")
    assert cache.has(b"k")
    cache.close()


def test_a_fault_of_the_disk_while_a_cache_is_opened_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(Failure) as failure:
        _open(tmp_path / "c")
    assert failure.value.text == f"{tmp_path}/c: disk I/O error"


def test_a_cache_of_fdm_is_taken_over_in_its_place_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "c.tdb"
    shutil.copy(FIXTURE, path)
    assert keys.take_over(bytes(path), bytes(path)) == (len(KEYS), 0)
    cache = _open(path)
    assert dict(cache.items()) == dict.fromkeys(KEYS, MADE)
    cache.close()
    assert sorted(os.listdir(tmp_path)) == ["c.tdb", "c.tdb.tdb-old"]
    assert (tmp_path / "c.tdb.tdb-old").read_bytes() == FIXTURE.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_cache_of_fdm_is_merged_into_ours_and_the_later_time_wins(tmp_path: Path) -> None:
    cache = _open(tmp_path / "c")
    cache.add(b"third", 5)
    cache.add(b"key number 1", MADE + 5)
    cache.close()
    assert keys.take_over(bytes(FIXTURE), bytes(tmp_path / "c")) == (len(KEYS), 0)
    cache = _open(tmp_path / "c")
    assert dict(cache.items()) == dict.fromkeys(KEYS, MADE) | {b"key number 1": MADE + 5}
    cache.close()
    assert os.listdir(tmp_path) == ["c"]


def test_a_damaged_cache_of_fdm_is_not_taken_over_at_all(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(FIXTURE.read_bytes()[:300])
    with pytest.raises(Failure, match=r"damaged TDB file"):
        keys.take_over(bytes(path), bytes(path))
    assert os.listdir(tmp_path) == ["c"]
    assert path.read_bytes() == FIXTURE.read_bytes()[:300]


def test_an_older_copy_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "c"
    shutil.copy(FIXTURE, path)
    (tmp_path / "c.tdb-old").write_bytes(b"precious")
    with pytest.raises(Failure) as failure:
        keys.take_over(bytes(path), bytes(path))
    assert failure.value.text == f"{path}.tdb-old: File exists"
    assert sorted(os.listdir(tmp_path)) == ["c", "c.tdb-old"]
    assert path.read_bytes() == FIXTURE.read_bytes()


def test_death_while_taking_over_leaves_the_old_cache_or_the_new_one(tmp_path: Path) -> None:
    kinds = set()
    for step in range(100):
        folder = tmp_path / str(step)
        folder.mkdir()
        path = folder / "c"
        shutil.copy(FIXTURE, path)
        if not die_at(step, lambda path=path: keys.take_over(bytes(path), bytes(path))):  # type: ignore[misc]
            break
        if path.read_bytes() == FIXTURE.read_bytes():
            kinds.add("old")
        else:
            cache = _open(path)
            assert cache.count() == len(KEYS)
            cache.close()
            assert (folder / "c.tdb-old").read_bytes() == FIXTURE.read_bytes()
            kinds.add("new")
    assert kinds == {"old", "new"}
