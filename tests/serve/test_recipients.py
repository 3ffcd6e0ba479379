"""Recipients that are files: exact names, which come and go, and tell whether a message is under way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serve.conftest import Starter
from tests.serve.service import ENVELOPE, NAME, Service, a_mail, until, wire

RECIPIENT = "fetch:a=20b:0"
ONE = 'match all action maildir "box"\n'
HELD = 'match all action pipe "cat >>box; while [ ! -e go ]; do sleep 0.02; done"\n'


@pytest.fixture
def service(make: Starter, tmp_path: Path) -> Service:
    """One user whose mail is for RECIPIENT, with a file `tmp_path/RECIPIENT`."""
    made = make(users=None, recipients=str(tmp_path))
    made.configure(ONE)
    (tmp_path / RECIPIENT).write_text(f"{made.users / NAME}\n")
    return made.start()


def codes(service: Service, *names: str) -> list[int]:
    """What is said to each recipient."""
    with service.connect() as client:
        client.say(b"LHLO c\r\nMAIL FROM:<>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % name.encode() for name in names))
        return [client.code() for _ in range(2 + len(names))][2:]


@contextmanager
def taken_away(file: Path) -> Iterator[int]:
    """The file is there no more, and open."""
    descriptor = os.open(file, os.O_RDONLY)
    file.unlink()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(descriptor: int) -> bool:
    """Whether nobody else holds the lock; we do then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_recipient_is_the_name_of_a_file_and_of_no_other(service: Service, tmp_path: Path) -> None:
    (tmp_path / "local").write_text(f"{service.users / NAME}\n")
    (tmp_path / "link").symlink_to(tmp_path / "local")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "nowhere").write_text(f"{tmp_path}\n")
    others = ("local@x", "local+x", "LOCAL", f"../{tmp_path.name}/local", "link", "folder", "empty", "nowhere", NAME)
    assert codes(service, RECIPIENT, "local", *others) == [250, 250] + [450] * len(others)
    with service.connect() as client:
        assert client.hand(a_mail(), RECIPIENT) == 250
    assert service.box("box") == [a_mail()]


def test_who_is_taken_away_gets_nothing_more(service: Service, tmp_path: Path) -> None:
    (tmp_path / RECIPIENT).rename(tmp_path / "aside")
    assert codes(service, RECIPIENT) == [450]
    (tmp_path / "aside").rename(tmp_path / RECIPIENT)
    assert codes(service, RECIPIENT) == [250]


def test_the_file_is_locked_until_the_client_has_its_answer(service: Service, tmp_path: Path) -> None:
    home = service.configure(HELD)
    with service.connect() as client:
        client.begin(RECIPIENT)
        with taken_away(tmp_path / RECIPIENT) as file:
            assert not is_free(file)
            client.say(wire(a_mail()))
            until((home / "box").exists)
            assert not is_free(file)
            (home / "go").touch()
            assert client.code() == 250
            until(lambda: is_free(file))
            # The connection is still there.
            assert codes(service, RECIPIENT) == [450]
            client.say(b"NOOP\r\n")
            assert client.code() == 250


def test_it_is_locked_as_long_as_a_message_is_under_way_whose_client_is_gone(service: Service, tmp_path: Path) -> None:
    home = service.configure(HELD)
    client = service.connect()
    with (tmp_path / RECIPIENT).open() as opened:
        file = opened.fileno()
        # Not even its envelope can be answered.
        with service.standing_still():
            client.say(ENVELOPE % RECIPIENT.encode() + wire(a_mail()))
            client.close()
        until((home / "box").exists)
        # The server has seen that it is gone.
        assert codes(service, "nobody") == [450]
        assert not is_free(file)
        (home / "go").touch()
        until(lambda: is_free(file))


@pytest.mark.parametrize("end", [b"RSET\r\n", b""])
def test_nothing_is_locked_when_the_client_has_changed_its_mind(service: Service, tmp_path: Path, end: bytes) -> None:
    with service.connect() as client:
        client.say(b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % RECIPIENT.encode())
        assert [client.code() for _ in range(3)] == [250, 250, 250]
        with taken_away(tmp_path / RECIPIENT) as file:
            assert not is_free(file)
            if end:
                client.say(end)
                assert client.code() == 250
            else:
                client.close()
            until(lambda: is_free(file))


def test_while_somebody_waits_for_the_end_nothing_begins(service: Service, tmp_path: Path) -> None:
    """He has opened the file before he took it away: the name may still be found for a moment."""
    with (tmp_path / RECIPIENT).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert codes(service, RECIPIENT) == [450]
    assert codes(service, RECIPIENT) == [250]
