"""What is moved by IMAP teaches the spam filter, in the real image."""

from __future__ import annotations

import imaplib
import re
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.image.house import CAREFUL, Container, quoted, until

USER, PASSWORD = "ä learner+x@example.com", "secret"


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container]) -> Container:
    made = containers()
    made.user(USER, passwd="{PLAIN}" + PASSWORD)
    made.create(*CAREFUL)
    until(lambda: made.has_user(USER), USER)
    return made


@pytest.fixture
def session(house: Container) -> Iterator[imaplib.IMAP4_SSL]:
    made = house.login(USER, PASSWORD)
    for folder in ("Junk", "Spam", "Archive", "Archive.2024", "Trash", "&AOQ-rger"):
        made.create(quoted(folder))
    yield made
    made.logout()


def _letter() -> bytes:
    words = " ".join(f"word{uuid.uuid4().hex}" for _ in range(60))
    return f"From: a@example.com\nMessage-ID: <{uuid.uuid4()}@x>\nSubject: {words[:60]}\n\n{words}\n".encode()


def _put(session: imaplib.IMAP4_SSL, folder: str, letter: bytes) -> None:
    assert session.append(quoted(folder), "", "", letter.replace(b"\n", b"\r\n"))[0] == "OK"


def _move(session: imaplib.IMAP4_SSL, letter: bytes, source: str, target: str) -> None:
    name = re.search(rb"<[^>]+>", letter)
    assert name
    assert session.select(quoted(source))[0] == "OK"
    _, found = session.uid("SEARCH", "HEADER", "Message-ID", name[0].decode())
    assert session.uid("MOVE", found[0].decode(), quoted(target))[0] == "OK"


def _said(house: Container) -> list[str]:
    return [line for line in house.logs().splitlines() if re.search(r" learner: .*learned as (spam|ham)", line)]


def _next(house: Container, before: list[str], number: int = 1) -> list[str]:
    """So many lines about learning after those before; without the user, which comes first in them."""
    lines = until(lambda: (new := _said(house)[len(before) :])[number - 1 :] and new, "another line about learning")
    return [line.rpartition(USER)[2].removeprefix(": ") for line in lines]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("INBOX", "Junk", "Junk: learned as spam"),
        ("INBOX", "Spam", "Spam: learned as spam"),
        ("INBOX", "Archive", "Archive: learned as ham"),
        ("INBOX", "Archive.2024", "Archive.2024: learned as ham"),
        ("Trash", "Junk", "Junk: learned as spam"),
    ],
)
def test_a_move_teaches(house: Container, session: imaplib.IMAP4_SSL, source: str, target: str, said: str) -> None:
    letter, before = _letter(), _said(house)
    _put(session, source, letter)
    _move(session, letter, source, target)
    assert _next(house, before) == [said]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("Junk", "INBOX", "INBOX: learned as ham"),
        ("Spam", "&AOQ-rger", "ärger: learned as ham"),
        ("Junk", "Archive", "Archive: learned as ham"),
        ("Junk", "Spam", "Spam: already learned as spam"),
        ("Junk", "Trash", ""),
    ],
)
def test_a_move_out_of_junk_teaches(
    house: Container, session: imaplib.IMAP4_SSL, source: str, target: str, said: str
) -> None:
    letter, before = _letter(), _said(house)
    _put(session, source, letter)
    assert _next(house, before) == [f"{source}: learned as spam"]
    before, last = _said(house), _letter()
    _move(session, letter, source, target)
    # Another one behind it shows that there is nothing more to come.
    _put(session, "Junk", last)
    expected = [*([said] if said else []), "Junk: learned as spam"]
    assert _next(house, before, len(expected)) == expected


def test_what_is_moved_while_rspamd_is_away_is_taught_later_and_in_order(
    house: Container, session: imaplib.IMAP4_SSL
) -> None:
    letter, before = _letter(), _said(house)
    house.sh("s6-svc -d /run/s6/rspamd && s6-svwait -D -t 20000 /run/s6/rspamd")
    _put(session, "INBOX", letter)
    _move(session, letter, "INBOX", "Junk")
    _move(session, letter, "Junk", "INBOX")
    waits = until(lambda: [line for line in _said(house)[len(before) :] if "yet: unreachable" in line], "an error")
    assert f"{USER}: Junk: not learned as spam yet" in waits[0]
    house.sh("s6-svc -u /run/s6/rspamd")
    until(lambda: _said(house)[-1].endswith("INBOX: learned as ham"), "both learned")
    assert [line.rpartition(": ")[2] for line in _said(house)[len(before) :] if "yet" not in line] == [
        "learned as spam",
        "learned as ham",
    ]
    known = house.exec("rulesmith", "learn", "ham", stdin=letter)
    assert (known.status, known.out) == (0, b"already learned as ham\n")


def test_deliveries_teach_nothing(house: Container, session: imaplib.IMAP4_SSL) -> None:
    before = _said(house)
    assert house.deliver(USER, _letter(), "-m", "Junk").status == 0
    _put(session, "Junk", _letter())
    assert _next(house, before) == ["Junk: learned as spam"]


def test_a_whole_folder_is_taught_and_the_counts_are_shown(house: Container, session: imaplib.IMAP4_SSL) -> None:
    for folder, number in (("&AOQ-rger", 7), ("Junk", 3)):
        for _ in range(number):
            name = "ärger" if folder[0] == "&" else folder
            assert house.deliver(USER, _letter(), "-m", name).status == 0
    ham = house.exec("rulesmith", "learn", "--mailbox", USER, "ärger")
    assert ham.status == 0, ham
    assert re.search(r"\b7 learned as ham", ham.out.decode()), ham
    before = _counts(ham.out)
    spam = house.exec("rulesmith", "learn", "--mailbox", USER, "Junk", user="vmail")
    assert spam.status == 0, spam
    learned = re.search(r"(\d+) learned as spam", spam.out.decode())
    assert learned, spam
    assert int(learned[1]) >= 3
    assert _counts(spam.out) == (before[0] + int(learned[1]), before[1])


def _counts(out: bytes) -> tuple[int, int]:
    shown = re.fullmatch(r"(\d+)/200 spam, (\d+)/200 ham", out.decode().splitlines()[-1])
    assert shown, out
    return int(shown[1]), int(shown[2])
