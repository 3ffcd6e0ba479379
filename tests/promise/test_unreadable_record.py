"""A record of the journal, or all of it, that cannot be read: what is done with its message nobody knows."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rulesmith.delivery.progress import pack
from tests import system
from tests.door import warm
from tests.promise.room import Room, a_mail

MAIL = a_mail()


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _link(record: Path) -> None:
    record.rename(record.with_name("x"))
    record.symlink_to("x")


def _folder(record: Path) -> None:
    record.unlink()
    record.mkdir()


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "another version": lambda record: record.write_bytes(pack(b"rulesmith-progress", b"2")),
    "another user's": lambda record: os.chown(record, 12345, 12345),
    "a link": _link,
    "a folder": _folder,
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_record_that_cannot_be_read_keeps_the_message_where_it_is(kind: str, tmp_path: Path) -> None:
    if kind == "another user's" and os.geteuid():
        pytest.skip("only root can give a file away")
    cache = f'"{tmp_path}/keys" key "%[message_id]"'
    rules = (
        f'cache "{tmp_path}/keys"\nmatch in-cache {cache} action drop\nmatch all action add-to-cache {cache} continue\n'
        'match all action pipe "test -e healed && cat >>b"\n'
    )
    room = Room(tmp_path, rules=rules)
    assert room.hand(MAIL).status == 75
    [record] = (tmp_path / "journal").iterdir()
    UNREADABLE[kind](record)
    (tmp_path / "healed").touch()
    again = room.hand(MAIL)
    # Without the record it would be a duplicate of itself, and dropped.
    assert again.status == 75
    assert b"mend or remove it" in again.stderr
    assert bytes(record.name, "ascii") in again.stderr


def _loop(journal: Path) -> None:
    journal.rename(journal.with_name("aside"))
    journal.symlink_to(journal.name)


CLOSED = [errno.ENFILE, errno.EIO, errno.EACCES, errno.ELOOP]


@pytest.mark.parametrize("number", CLOSED, ids=map(errno.errorcode.__getitem__, CLOSED))
def test_a_journal_that_cannot_be_looked_at_keeps_the_message_where_it_is(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path, rules='match all action { maildir "a" mbox "c" }\n')
    (tmp_path / "c").mkdir()
    assert room.hand(MAIL).status == 75
    assert (room.copies(MAIL)["a"], len(room.records())) == (1, 1)
    if number == errno.ELOOP:
        _loop(room.journal)
        again = room.hand(MAIL)
        room.journal.unlink()
        (tmp_path / "aside").rename(room.journal)
    else:
        with monkeypatch.context() as broken:
            system.replace(broken, "listdir", _failing(os.listdir, bytes(room.journal), number))
            again = room.hand(MAIL)
    assert again.status == 75
    assert f"stdin: {room.journal}: {os.strerror(number)}\n".encode() in again.stderr
    assert room.copies(MAIL)["a"] == 1
    (tmp_path / "c").rmdir()
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "c": 1}


def _failing(listdir: Callable[[Any], Any], folder: bytes, number: int) -> Callable[[Any], Any]:
    def instead(path: Any) -> Any:
        if path == folder:
            raise OSError(number, os.strerror(number))
        return listdir(path)

    return instead


def test_a_journal_that_was_never_ours_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    room = Room(tmp_path)
    room.journal.mkdir()
    os.chown(room.journal, 12345, 12345)
    system.replace(monkeypatch, "listdir", _failing(os.listdir, bytes(room.journal), errno.EACCES))
    assert room.hand(MAIL).status == 0
