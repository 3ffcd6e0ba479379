"""A record of the journal that cannot be read: what is done with its message nobody knows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith.delivery.progress import pack
from tests.door import warm
from tests.promise.room import Room, a_mail

MAIL = a_mail()


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "another version": lambda record: record.write_bytes(pack(b"rulesmith-progress", b"2")),
    "another user's": lambda record: os.chown(record, 12345, 12345),
    "a link": lambda record: record.rename(record.with_name("x")) and record.symlink_to("x"),
    "a folder": lambda record: record.unlink() or record.mkdir(),
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
