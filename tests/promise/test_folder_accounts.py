"""Messages of a maildir or an mbox that is read: what ends a run has nothing delivered twice by the next."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rulesmith.sources import maildir, mbox
from tests.door import Call, Outcome, warm, warm_door
from tests.promise.room import Room, a_mail

MAILS = [a_mail(number) for number in range(1, 6)]
BAD = b"Subject: bad\n\nnobody takes it\n"
RULES = 'match "^Subject: bad" in headers action pipe "exit 1"\nmatch all action pipe "cat >>b"\n'


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _room(folder: Path, kind: str, mails: list[bytes]) -> Room:
    source = folder / "source"
    if kind == "maildir":
        for name in ("cur", "new", "tmp"):
            (source / name).mkdir(parents=True)
        for number in range(len(mails)):
            (source / "new" / str(number)).touch()
        # They are read in the order in which the folder lists them.
        for name, mail in zip(os.listdir(source / "new"), mails, strict=True):
            (source / "new" / name).write_bytes(mail)
    else:
        source.write_bytes(b"".join(b"From x@y Mon Mar  2 10:00:00 2020\n%s\n\n" % mail for mail in mails))
    return Room(folder, rules=f'account "folder" {kind} "{source}"\n{RULES}')


def _fetch(room: Room) -> Outcome:
    call = room.call(b"")
    return warm_door(Call(["-f", "conf", "-m", "-q", "-a", "folder", "fetch"], b"", call.cwd, call.env))


# An mbox holds no empty message.
@pytest.mark.parametrize(
    ("kind", "bad"), [("maildir", BAD), ("maildir", b""), ("mbox", BAD)], ids=["maildir", "maildir, empty", "mbox"]
)
def test_what_is_delivered_before_a_failure_is_delivered_once(kind: str, bad: bytes, tmp_path: Path) -> None:
    room = _room(tmp_path, kind, [*MAILS[:3], bad, *MAILS[3:]])
    for _ in range(3):
        assert _fetch(room).status == 1
    counts = [(tmp_path / "b").read_bytes().count(mail) if (tmp_path / "b").exists() else 0 for mail in MAILS]
    assert set(counts) <= {0, 1}
    left = tmp_path / "source"
    rest = b"".join(each.read_bytes() for each in left.glob("*/*")) if kind == "maildir" else left.read_bytes()
    assert [mail.split(b"\n\n")[1] in rest for mail in MAILS] == [count == 0 for count in counts]


@pytest.mark.parametrize("module", [maildir, mbox], ids=["maildir", "mbox"])
def test_who_stops_us_while_a_message_is_read_is_heard(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = _room(tmp_path, module.__name__.rpartition(".")[2], MAILS)
    plain = module.Source.messages

    def with_a_signal(self: Any) -> Iterator[Any]:
        for number, each in enumerate(plain(self)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            yield each

    monkeypatch.setattr(module.Source, "messages", with_a_signal)
    outcome = _fetch(room)
    assert b"caught SIGTERM" in outcome.stderr
    assert (tmp_path / "b").read_bytes().count(b"letter") == 2
    monkeypatch.undo()
    assert _fetch(room).status == 0
    assert [(tmp_path / "b").read_bytes().count(mail) for mail in MAILS] == [1] * 5
