"""Several mailboxes of Dovecot that get a message in one transaction: the promise holds for each of them."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rulesmith import fdm
from tests.door import warm, warm_door
from tests.promise.mailboxes import Mailboxes, serving
from tests.promise.room import Room, a_mail, dying_at_call, signal_at_effect

MAIL = a_mail()
INBOX, COPY = "user@x", "user+Received@x"
D = "/usr/libexec/dovecot/deliver -d user@x"
PLAN = f'match all action {{ pipe "{D}" pipe "{D} -m Received" maildir "d" }}\n'
BOTH = {INBOX: 1, COPY: 1}
ONCE = {**BOTH, "d": 1}
EFFECTS = 3  # who delivers; what comes, which is one transaction; the maildir
WITH_AND_WITHOUT = pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


@pytest.fixture
def dovecot(tmp_path: Path) -> Iterator[Mailboxes]:
    with serving(tmp_path / "lmtp") as mailboxes:
        yield mailboxes


def a_room(folder: Path, queue: bool = False, rules: str = PLAN, socket: Path | None = None) -> Room:
    path = socket or folder / "lmtp"
    return Room(folder, queue, rules, f'set dovecot "{path}"\nset dovecot-folders\n')


def _finish(room: Room, status: int | None) -> None:
    """What is in the queue is not handed over again: that would be another message."""
    if status == 0:
        assert room.work() == []
    else:
        room.mend(MAIL)


@WITH_AND_WITHOUT
def test_a_plan_of_one_transaction_writes_nothing(queue: bool, tmp_path: Path, dovecot: Mailboxes) -> None:
    room = a_room(tmp_path, queue, PLAN.replace('maildir "d" ', ""))
    assert room.hand(MAIL).status == 0
    assert dovecot.transactions == [(INBOX, COPY)]
    assert dovecot.stored == BOTH
    # Not even for a moment: the folder of the journal is made with the first record.
    assert not room.journal.exists()


def test_where_nothing_can_be_written_down_a_mailbox_that_is_full_repeats_no_other(
    tmp_path: Path, dovecot: Mailboxes
) -> None:
    room = a_room(tmp_path)
    room.journal.write_text("this is no folder")
    dovecot.full.add(INBOX)
    assert [room.hand(MAIL).status for _ in range(3)] == [75, 75, 75]
    assert dovecot.stored == {}


@WITH_AND_WITHOUT
def test_both_are_written_down_before_the_next_delivery(queue: bool, tmp_path: Path, dovecot: Mailboxes) -> None:
    room = a_room(tmp_path, queue, PLAN.replace('maildir "d"', 'pipe "test -e healed"'))
    status = room.hand(MAIL).status
    assert status == (0 if queue else 75)
    assert dovecot.transactions == [(INBOX, COPY)]
    (tmp_path / "healed").touch()
    _finish(room, status)
    assert dovecot.stored == BOTH
    assert room.records() == []


@WITH_AND_WITHOUT
def test_one_that_fails_holds_up_no_other_and_is_made_alone(queue: bool, tmp_path: Path, dovecot: Mailboxes) -> None:
    """The command is asked why; here it knows no such user, or is not even there."""
    dovecot.full.add(INBOX)
    room = a_room(tmp_path, queue)
    outcome = room.hand(MAIL)
    status = outcome.status
    assert status == (0 if queue else 75)
    assert dovecot.stored == {COPY: 1}
    # It is not done without a word.
    told = f"given to Dovecot: {D}: 452 4.2.2 full; {D} -m Received: 250 2.0.0 stored\n"
    assert told.encode() in outcome.stderr
    assert room.copies(MAIL) == {}
    dovecot.full.clear()
    _finish(room, status)
    assert dovecot.stored == BOTH
    assert room.copies(MAIL) == {"d": 1}
    # The retry has a record, so it does one after the other.
    assert dovecot.transactions[0] == (INBOX, COPY)
    assert dovecot.transactions[-1] == (INBOX,)


@WITH_AND_WITHOUT
def test_what_nobody_can_know_is_tried_again_and_the_other_is_not(
    queue: bool, tmp_path: Path, dovecot: Mailboxes
) -> None:
    dovecot.torn = True
    room = a_room(tmp_path, queue)
    outcome = room.hand(MAIL)
    status = outcome.status
    assert status == (0 if queue else 75)
    assert b"whether Dovecot has stored it is not known" in outcome.stderr
    assert f"given to Dovecot: {D}: 250 2.0.0 stored; {D} -m Received: no answer\n".encode() in outcome.stderr
    assert dovecot.stored == {INBOX: 1}
    assert room.copies(MAIL) == {}
    _finish(room, status)
    assert dovecot.stored == BOTH
    assert room.copies(MAIL) == {"d": 1}


@WITH_AND_WITHOUT
def test_killed_at_every_call_at_most_one_transaction_is_repeated(
    queue: bool, tmp_path: Path, dovecot: Mailboxes
) -> None:
    room = a_room(tmp_path, queue)
    # The program is compiled before, so that every call belongs to the message.
    room.hand(b"")
    too_late = 0
    for step in range(400):
        dovecot.stored.clear()
        mail = a_mail(step)
        with dying_at_call(step):
            status = room.hand(mail).status
        if status == 0:
            assert _copies(room, dovecot, mail) == ONCE
            break
        if queue and _copies(room, dovecot, mail) == ONCE and not _is_queued(room):
            # Its last call: the message is done with and forgotten, only the caller does not know.
            too_late += 1
        else:
            room.mend(mail)
            # The deliveries under way are those of one transaction.
            assert _copies(room, dovecot, mail) in (ONCE, {INBOX: 2, COPY: 2, "d": 1}, {**BOTH, "d": 2})
            assert room.records() == []
    assert 10 < step < 399
    assert too_late <= 1


def _copies(room: Room, dovecot: Mailboxes, mail: bytes) -> dict[str, int]:
    return {**dovecot.stored, **room.copies(mail)}


def _is_queued(room: Room) -> bool:
    return any(name.endswith((".taken", ".mail")) for name in room.entries())


@WITH_AND_WITHOUT
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(EFFECTS))
def test_stopped_at_every_effect_nothing_is_made_twice(
    step: int, after: bool, queue: bool, tmp_path: Path, dovecot: Mailboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None of these deliveries hangs, but a busy machine may take longer for one than a stop waits.
    monkeypatch.setattr(fdm, "STOP_GRACE", 30.0)
    room = a_room(tmp_path, queue)
    with signal_at_effect(step, signal.SIGTERM, after):
        status = room.hand(MAIL).status
    _finish(room, status)
    assert _copies(room, dovecot, MAIL) == ONCE
    assert room.records() == []


@WITH_AND_WITHOUT
def test_killed_when_dovecot_has_both_they_are_repeated_and_nothing_else(
    queue: bool, tmp_path: Path, dovecot: Mailboxes
) -> None:
    room = a_room(tmp_path, queue)
    with signal_at_effect(1, signal.SIGKILL, after=True):
        assert room.hand(MAIL).status == -signal.SIGKILL
    assert dovecot.stored == BOTH
    room.mend(MAIL)
    assert dovecot.stored == {INBOX: 2, COPY: 2}
    assert room.copies(MAIL) == {"d": 1}


@WITH_AND_WITHOUT
@pytest.mark.parametrize("slow", [INBOX, COPY])
def test_a_stop_that_does_not_wait_for_dovecot_keeps_what_it_has_heard(
    slow: str, queue: bool, tmp_path: Path, dovecot: Mailboxes
) -> None:
    room = a_room(tmp_path, queue)
    dovecot.stops = slow
    outcome = room.hand(MAIL)
    first = "no answer" if slow == INBOX else "250 2.0.0 stored"
    told = f"given to Dovecot: {D}: {first}; {D} -m Received: no answer\n"
    assert told.encode() in outcome.stderr
    assert dovecot.left.wait(30)
    assert dovecot.stored == BOTH
    _finish(room, outcome.status)
    # What nobody has heard of is made again.
    assert _copies(room, dovecot, MAIL) == {INBOX: 1 if slow == COPY else 2, COPY: 2, "d": 1}
    assert room.records() == []


def test_the_log_says_how_long_a_transaction_took(tmp_path: Path, dovecot: Mailboxes) -> None:
    room = a_room(tmp_path)
    call = room.call(MAIL)
    outcome = warm_door(replace(call, args=["-v" if word == "-q" else word for word in call.args]))
    assert re.search(rb"stdin: 2 mailboxes of Dovecot have it, in \d+\.\d{3} seconds\n", outcome.stderr)
