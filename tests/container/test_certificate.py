"""Which certificate Dovecot gets: an own one while it is in order, else the last that was, else one made once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rulesmith.container.accounts import Account
from rulesmith.container.certificate import Certificate, Pair, Refused, check, expiry, make
from tests.certificates import Authority

ME = Account(os.geteuid(), os.getegid())


class House:
    """The three folders, and the one that decides."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.own, self.store, self.target = folder / "own", folder / "tls", folder / "ssl/dovecot"
        self.own.mkdir()
        self.authority = Authority(folder)

    def start(self) -> Certificate:
        made = Certificate(self.own, self.store, self.target, ME, self.said.append)
        made.settle()
        return made

    def put(self, kind: str = "good") -> bytes:
        pair = self.authority.issue(kind)
        shutil.copyfile(pair.certificate, self.own / "server.pem")
        shutil.copyfile(pair.key, self.own / "server.key")
        return pair.certificate.read_bytes()

    @property
    def shown(self) -> bytes:
        pem, key = (self.target / "server.pem").read_bytes(), (self.target / "server.key").read_bytes()
        check(Pair(pem, key))
        return pem


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_one_is_made_once(house: House) -> None:
    house.start()
    first = house.shown
    shutil.rmtree(house.target)
    house.start()
    assert house.shown == first
    assert len(house.said) == 1
    assert (house.target / "server.key").stat().st_mode & 0o777 == 0o600
    assert (house.store / "server.key").stat().st_mode & 0o777 == 0o600
    assert house.store.stat().st_mode & 0o777 == 0o700


def test_half_a_pair_that_was_kept_is_made_anew(house: House) -> None:
    house.start()
    (house.store / "server.key").write_bytes(b"")
    house.start()
    assert len(house.said) == 2
    assert house.shown == (house.store / "server.pem").read_bytes()


def test_an_own_one_wins(house: House) -> None:
    own = house.put()
    house.start()
    assert house.shown == own
    assert house.said == []


def test_an_own_one_that_is_taken_away_leaves_the_made_one(house: House) -> None:
    house.put()
    house.start()
    for file in house.own.iterdir():
        file.unlink()
    house.start()
    assert house.shown == (house.store / "server.pem").read_bytes()


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("server.key", None, "server.key cannot be read: No such file"),
        ("server.pem", None, "server.pem cannot be read: No such file"),
        ("server.key", b"garbage", "server.key is no PEM file"),
        ("server.pem", b"garbage", "server.pem is no PEM file"),
        ("server.key", make().key, "server.key is not the key of server.pem"),
        ("server.key", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n", "locked"),
    ],
)
def test_a_broken_pair_is_refused_and_the_last_good_one_used(
    house: House, file: str, text: bytes | None, words: str
) -> None:
    own = house.put()
    house.start()
    (house.own / file).unlink()
    if text is not None:
        (house.own / file).write_bytes(text)
    shutil.rmtree(house.target)
    house.start()
    assert house.shown == own
    assert words in house.said[0]
    assert "last good" in house.said[0]


def test_a_broken_pair_from_the_beginning_leaves_the_made_one(house: House) -> None:
    house.put()
    (house.own / "server.key").write_text("garbage")
    house.start()
    assert house.shown == (house.store / "server.pem").read_bytes()
    assert "self-signed" in house.said[0]


def test_a_change_counts_when_it_is_over(house: House) -> None:
    watch = house.start()
    assert not watch.changed()
    own = house.put()
    assert not watch.changed()
    assert watch.changed()
    assert house.shown == own
    assert not watch.changed()
    (house.own / "server.key").write_text("garbage")
    assert not watch.changed()
    assert not watch.changed()
    assert house.shown == own
    assert [line for line in house.said if "no PEM" in line]
    said = list(house.said)
    assert not watch.changed()
    assert house.said == said


def test_an_expired_one_is_used_and_said(house: House) -> None:
    own = house.put("expired")
    house.start()
    assert house.shown == own
    assert "has expired" in house.said[0]


def test_what_is_made_lasts() -> None:
    pair = make()
    assert expiry(pair) == ""
    with pytest.raises(Refused, match="is not the key"):
        check(Pair(pair.pem, make().key))
