from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.effects import Failure
from rulesmith.sources.maildir import Source
from tests.recording import RecordingWorld


def _make(path: Path, **messages: bytes) -> bytes:
    """A maildir; names begin with the folder: new_a, cur_b."""
    for name in ("cur", "new"):
        (path / name).mkdir(parents=True)
    for name, raw in messages.items():
        folder, _, file = name.partition("_")
        (path / folder / file).write_bytes(raw)
    return bytes(path)


def _source(*patterns: bytes, world: RecordingWorld | None = None) -> Source:
    return Source(patterns, world or RecordingWorld())


def _left(path: Path) -> list[str]:
    return sorted(f"{folder}/{name}" for folder in ("cur", "new") for name in os.listdir(path / folder))


def test_messages_come_from_cur_then_from_new_with_their_tags(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", new_b=b"new\n", cur_a=b"cur \xff\0\r\n", cur_c=b"", **{"new_.d": b"dot\n"})
    (tmp_path / "md/cur/c").unlink()
    (tmp_path / "md/cur/sub").mkdir()
    fetched = [(raw, tags) for raw, tags, _ in _source(path + b"/").messages()]
    assert fetched[0] == (
        b"cur \xff\0\r\n",
        {
            b"source": b"md",
            b"maildir": b"md",
            b"maildir_path": path,
            b"maildir_file": path + b"//cur",
        },
    )
    assert {raw for raw, _ in fetched[1:]} == {b"new\n", b"dot\n"}
    assert fetched[1][1][b"maildir_file"] == path + b"//new"


def test_dropped_messages_go_and_kept_ones_stay(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", cur_a=b"a\n", cur_b=b"b\n", new_c=b"c\n", new_d=b"d\n")
    source = _source(path)
    for raw, _, dispose in source.messages():
        dispose(raw in (b"a\n", b"d\n"))
    source.finish()
    assert _left(tmp_path / "md") == ["cur/b", "new/c"]


def test_after_an_abort_what_was_not_dropped_stays(tmp_path: Path) -> None:
    """Not as in fdm: there it stays, and is delivered again at each run that an empty file, say, brings to an end."""
    path = _make(tmp_path / "md", cur_a=b"a\n", new_b=b"b\n", new_c=b"c\n")
    source = _source(path)
    for number, (_, _, dispose) in enumerate(source.messages()):
        dispose(True)
        if number == 1:
            break
    source.finish()
    assert _left(tmp_path / "md") == ["new/c"]


def test_a_message_that_nobody_disposed_of_stays(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", cur_a=b"a\n")
    source = _source(path)
    assert len(list(source.messages())) == 1
    source.finish()
    assert _left(tmp_path / "md") == ["cur/a"]


def test_a_message_delivered_into_the_folder_that_is_read_waits_for_the_next_run(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", new_a=b"a\n")
    seen = 0
    for _ in _source(path).messages():
        seen += 1
        (tmp_path / f"md/new/more{seen}").write_bytes(b"more\n")
        assert seen < 5
    assert seen == 1


def test_a_file_that_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", new_a=b"x\n", new_b=b"x\n", new_c=b"x\n")
    source = _source(path)
    seen = 0
    for _, _, dispose in source.messages():
        seen += 1
        for name in os.listdir(tmp_path / "md/new"):
            (tmp_path / "md/new" / name).unlink()
        dispose(True)
    assert seen == 1


def test_a_folder_without_cur_or_new_is_left_out_with_a_warning(tmp_path: Path) -> None:
    good = _make(tmp_path / "good", new_a=b"a\n")
    _make(tmp_path / "nocur")
    (tmp_path / "nocur/cur").rmdir()
    _make(tmp_path / "nonew", cur_a=b"lost?\n")
    (tmp_path / "nonew/new").rmdir()
    (tmp_path / "nonew/new").touch()
    world = RecordingWorld()
    source = _source(*(bytes(tmp_path / name) for name in ("nocur", "good", "nonew")), world=world)
    assert [raw for raw, _, _ in source.messages()] == [b"a\n"]
    assert good
    assert world.warnings == [
        bytes(tmp_path) + b"/nocur/cur: No such file or directory",
        bytes(tmp_path) + b"/nonew/new: Not a directory",
    ]


def test_no_maildir_at_all_is_a_failure(tmp_path: Path) -> None:
    world = RecordingWorld()
    with pytest.raises(Failure, match=r"^no maildirs found$"):
        next(_source(bytes(tmp_path) + b"/*", world=world).messages())
    assert world.warnings == [bytes(tmp_path) + b"/*/cur: No such file or directory"]


def test_patterns_name_several_maildirs_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        _make(tmp_path / name, new_x=name.encode() + b"\n")
    source = _source(bytes(tmp_path) + b"/[bc]", bytes(tmp_path) + b"/a")
    assert [raw for raw, _, _ in source.messages()] == [b"b\n", b"c\n", b"a\n"]


def test_the_count_is_that_of_the_files(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", cur_a=b"a\n", new_b=b"", new_c=b"c\n")
    (tmp_path / "md/new/sub").mkdir()
    assert _source(path).count() == 3


def test_an_empty_file_stops_the_account(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", new_a=b"")
    with pytest.raises(Failure, match=r"^empty message$"):
        next(_source(path).messages())
    assert _left(tmp_path / "md") == ["new/a"]


def test_a_message_too_big_stops_the_account(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", new_a=b"12345678\n")
    with pytest.raises(Failure, match=r"^message too big: 9 bytes$"):
        list(_source(path, world=RecordingWorld(maximum_size=8)).messages())
    assert _left(tmp_path / "md") == ["new/a"]
    assert len(list(_source(path, world=RecordingWorld(maximum_size=9)).messages())) == 1


def test_a_message_too_big_is_deleted_if_the_configuration_says_so(tmp_path: Path) -> None:
    path = _make(tmp_path / "md", cur_a=b"12345678\n", new_b=b"small\n")
    world = RecordingWorld(maximum_size=8, delete_oversized=True)
    assert [raw for raw, _, _ in _source(path, world=world).messages()] == [b"small\n"]
    assert world.warnings == [b"message too big: 9 bytes"]
    assert _left(tmp_path / "md") == ["new/b"]
