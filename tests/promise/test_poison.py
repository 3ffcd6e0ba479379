"""A message that cannot be delivered goes to the problem mailbox after so many tries and so much time, and is done."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rulesmith import queue_run
from rulesmith.delivery import problem
from rulesmith.delivery.progress import pack
from rulesmith.effects import DELIVER, RUN, Failure
from tests.door import warm
from tests.promise.room import Room, a_mail, signal_at_effect

MAIL = a_mail()
ME = (b"me", 1000, 1000, b"/home/me")
LIMITS = "set queue-tries 3\nset queue-time 2 hours\n"
# An LDA that takes nothing but what is for the folder Problem.
AGENT = '#!/bin/sh\n[ "$1 $2" = "-m Problem" ] || exit 75\ncat >>"$3-Problem"\nprintf "%s\\\\n" --- >>"$3-Problem"\n'
RULES = 'match all action { maildir "a" pipe "./deliver bob" }\n'


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _room(folder: Path, queue: bool, rules: str = RULES, settings: str = LIMITS) -> Room:
    (folder / "deliver").write_text(AGENT)
    (folder / "deliver").chmod(0o755)
    return Room(folder, queue, rules, settings)


def _age(room: Room, seconds: int) -> None:
    """As if the tries had been so long ago: the clock of the records is set back."""
    paths = [*room.journal.glob("*.journal")] if room.queue is None else [*room.queue.glob("*.progress")]
    (path,) = paths
    lines = [line.partition(b" ")[2].split(b" ") for line in path.read_bytes().splitlines()]
    for line in lines:
        if line[0] in (b"begin", b"try", b"fail"):
            line[1] = b"%d" % (int(line[1]) - seconds)
    import zlib

    texts = [b" ".join(line) for line in lines]
    path.write_bytes(b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in texts))


def _try(room: Room) -> bool:
    """One more try; whether the message is done with."""
    return room.hand(MAIL).status == 0 if room.queue is None else room.work() == []


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_after_enough_tries_and_time_it_goes_to_the_folder_problem_by_the_same_agent(
    queue: bool, tmp_path: Path
) -> None:
    room = _room(tmp_path, queue)
    assert room.hand(MAIL).status == (0 if queue else 75)
    # Tries alone are not enough, nor is time.
    assert [_try(room), _try(room), _try(room)] == [False] * 3
    _age(room, 2 * 3600)
    assert _try(room)
    assert room.copies(MAIL)["a"] == 1
    message, note, _ = (tmp_path / "bob-Problem").read_bytes().split(b"---\n")
    assert message == MAIL
    assert b"  Subject: 1\n" in note
    assert b"It was tried 5 times" in note
    assert b"./deliver bob: command returned 75" in note
    assert b"  maildir a\n" in note
    assert room.records() == []
    if queue:
        assert [name for name in room.entries() if not name.endswith(".ghost")] == []


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_who_dies_between_the_message_and_its_note_does_not_put_it_there_twice(queue: bool, tmp_path: Path) -> None:
    rules = RULES.replace("./deliver", "exec ./deliver")  # its parent is the process that delivers
    room = _room(tmp_path, queue, rules, "set queue-tries 2\nset queue-time 0 seconds\n")
    deadly = (
        'if [ "$1 $2" = "-m Problem" ] && [ -s bob-Problem ] && [ ! -e died ]; then >died; kill -9 $PPID; exit 1; fi\n'
    )
    (tmp_path / "deliver").write_text(AGENT.replace("\n", "\n" + deadly, 1))
    room.hand(MAIL)
    assert not _try(room)
    assert (tmp_path / "died").exists()
    assert _try(room)
    message, note, _ = (tmp_path / "bob-Problem").read_bytes().split(b"---\n")
    assert message == MAIL
    assert b"-m Problem" not in note
    assert room.copies(MAIL)["a"] == 1


def test_time_alone_is_not_enough(tmp_path: Path) -> None:
    room = _room(tmp_path, queue=True)
    room.hand(MAIL)
    _age(room, 10 * 3600)
    assert not _try(room)
    assert not (tmp_path / "bob-Problem").exists()


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_the_problem_mailbox_may_be_a_maildir(queue: bool, tmp_path: Path) -> None:
    settings = f'set queue-tries 2\nset queue-time 0 seconds\nset problem-mailbox "{tmp_path}/P"\n'
    room = _room(tmp_path, queue, settings=settings)
    room.hand(MAIL)
    assert _try(room)
    assert MAIL in [each.read_bytes() for each in (tmp_path / "P/new").iterdir()]


def test_a_message_stays_where_the_problem_mailbox_fails_too(tmp_path: Path) -> None:
    settings = f'set queue-tries 1\nset queue-time 0 seconds\nset problem-mailbox "{tmp_path}/conf/P"\n'
    room = _room(tmp_path, queue=False, settings=settings)
    assert [room.hand(MAIL).status, room.hand(MAIL).status] == [75, 75]
    assert len(room.records()) == 1


def test_without_a_problem_mailbox_a_message_is_tried_for_ever(tmp_path: Path) -> None:
    settings = 'set queue-tries 1\nset queue-time 0 seconds\nset problem-mailbox ""\n'
    room = _room(tmp_path, queue=False, settings=settings)
    assert [room.hand(MAIL).status, room.hand(MAIL).status] == [75, 75]


def test_where_no_delivery_has_failed_it_is_the_mailbox_of_the_first_that_would_be_made(tmp_path: Path) -> None:
    rules = 'match all action rewrite "exit 9" continue\nmatch all action pipe "./deliver bob"\n'
    room = _room(tmp_path, queue=False, rules=rules, settings="set queue-tries 1\nset queue-time 0 seconds\n")
    assert room.hand(MAIL).status == 0
    assert (tmp_path / "bob-Problem").read_bytes().startswith(MAIL)


def test_what_the_rules_keep_for_ever_is_put_there_too(tmp_path: Path) -> None:
    rules = 'match "nothing like it" action drop\n'
    settings = f'set queue-tries 2\nset queue-time 0 seconds\nset problem-mailbox "{tmp_path}/P"\n'
    room = _room(tmp_path, queue=True, rules=rules, settings=settings)
    room.hand(MAIL)
    assert _try(room)
    assert len(list((tmp_path / "P/new").iterdir())) == 2


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (b"deliver -d bob", b"deliver -m 'Problem' -d bob"),
        (b"/usr/lib/dovecot/deliver -e -d 'b b'", b"/usr/lib/dovecot/deliver -m 'Problem' -e -d 'b b'"),
        (b'dovecot-lda -d bob -m "Lists/a b" -e', b"dovecot-lda -m 'Problem' -d bob   -e"),
        (b"dovecot-lda -mJunk -d bob", b"dovecot-lda -m 'Problem'  -d bob"),
        (b"exec '/x/deliver' -d bob 2>&1 | logger -m x", b"exec '/x/deliver' -m 'Problem' -d bob 2>&1 | logger -m x"),
        (b"test -e x && deliver -d a; true -m b", b"test -e x && deliver -m 'Problem' -d a; true -m b"),
        (b"cat >>mbox", None),
        (b"maildrop -d bob", None),
        (b"echo 'deliver -d bob'", None),
    ],
)
def test_the_agent_is_told_the_folder(command: bytes, told: bytes | None) -> None:
    assert problem.with_folder(command, b"Problem") == told


def test_a_name_in_quotes_is_quoted_for_the_shell() -> None:
    assert problem.with_folder(b"deliver", b"It's") == b"deliver -m 'It'\\''s'"


@pytest.mark.parametrize(
    ("failed", "found"),
    [
        ((DELIVER, "maildir", (b"/m/Maildir",), ME, b""), (DELIVER, "maildir", (b"/m/Maildir/.Problem",), ME, b"x")),
        ((DELIVER, "maildir", (b"/m/M/.Lists/",), ME, b""), (DELIVER, "maildir", (b"/m/M/.Problem",), ME, b"x")),
        (
            (DELIVER, "imap", (b"h", b"1", b"u", b"p", b"INBOX", ()), ME, b""),
            (DELIVER, "imap", (b"h", b"1", b"u", b"p", b"Problem", ()), ME, b"x"),
        ),
        (
            (RUN, "pipe", b"deliver -d bob", b"", ME, None),
            (RUN, "pipe", b"deliver -m 'Problem' -d bob", b"x", ME, None),
        ),
    ],
)
def test_the_folder_is_beside_the_delivery_that_failed(failed: tuple[object, ...], found: tuple[object, ...]) -> None:
    assert problem.target(b"Problem", failed, ME, 0)(b"x") == found


def test_the_folder_of_an_mbox_is_its_neighbour() -> None:
    effect = problem.target(b"Problem", (DELIVER, "mbox", (b"/m/in", False, b""), ME, b""), ME, 0)(b"x")
    assert effect[2][0] == b"/m/Problem"
    assert effect[2][2].startswith(b"From rulesmith ")


@pytest.mark.parametrize(
    "failed", [None, (DELIVER, "lmtp", (b"h", b"24", b"", b"r"), ME, b""), (RUN, "pipe", b"cat", b"", ME, None)]
)
def test_some_deliveries_have_no_folder_beside_them(failed: tuple[object, ...] | None) -> None:
    with pytest.raises(Failure):
        problem.target(b"Problem", failed, ME, 0)


def test_a_tilde_is_the_home_of_the_user_whose_delivery_failed() -> None:
    bob = (b"bob", 1001, 1001, b"/home/bob")
    effect = problem.target(b"~/P", (RUN, "pipe", b"false", b"", bob, None), ME, 0)(b"x")
    assert effect == (DELIVER, "maildir", (b"/home/bob/P",), bob, b"x")


def test_a_note_shows_a_terminal_nothing_that_it_would_obey() -> None:
    raw = b"Subject: \x1b[2Jhello\n\nx\n"
    note = problem.note(raw, b"why\nnot\0", 3, 0, int(time.time()), [], b"")
    assert b"\x1b" not in note
    assert b"\0" not in note
    assert b"?[2Jhello" in note
    assert os.linesep.encode() in note
    assert pack(b"x")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(3))
def test_stopped_while_it_is_released_it_is_there_once(step: int, after: bool, tmp_path: Path) -> None:
    room = Room(
        tmp_path, queue=True, rules='match all action pipe "exit 1"\n', settings=f'set problem-mailbox "{tmp_path}/a"\n'
    )
    assert room.hand(MAIL).status == 0
    assert room.queue
    for again in range(2):
        runner = queue_run.Runner(bytes(room.queue), lambda _line: None)
        runner.release = True
        with signal_at_effect(step if not again else 99, signal.SIGTERM, after):
            left = runner.once()
    assert left == []
    assert room.copies(MAIL)["a"] == 1
