"""The scan and the promise: once for a message of the queue, and what has no verdict waits."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from rulesmith.delivery import queue as entries
from tests.door import warm
from tests.promise.room import Room, a_mail, signal_at_effect
from tests.scan.scripted import ok, rspamd, says

MAIL = a_mail()
VERDICT = {
    "action": "rewrite subject",
    "score": 7.25,
    "required_score": 15,
    "subject": "[spam] 1",
    "symbols": {"A B%": {"name": "A B%", "score": 7.25}},
}
ANSWER = says(ok(json.dumps(VERDICT).encode()))
# The provider took it in years ago.
OLD = b"Received: from h (h.example [192.0.2.1]) by mx.example; Mon, 2 Mar 2020 10:00:00 +0000\n" + MAIL
NOWHERE = 'set scan "unix:/nowhere"\n'
TO_A = 'match all action maildir "a"\n'
HOUR = 3600
RULES = (
    'match spam score > 7.2 and spam symbol "A*" action { maildir "a" pipe "test -e healed && cat >>b" }\n'
    "match all action drop\n"
)


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def test_a_message_of_the_queue_is_scanned_once(tmp_path: Path) -> None:
    with rspamd(ANSWER) as asked:
        room = Room(tmp_path, queue=True, rules=RULES, settings=f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 0
    assert asked.body == MAIL
    # Nobody is there any more, and nobody is asked.
    (name,) = entries.names(bytes(room.queue or b""))
    entry = entries.look(bytes(room.queue or b""), name)
    kept = entry.raw()
    assert entry.verdict == {"score": 7.25, "required": 15.0, "action": b"rewrite subject", "symbols": {b"A B%": 7.25}}
    entry.close()
    assert kept.count(b"[spam]") == 1
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert room.copies(kept) == {"a": 1, "b": 1}


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered since", "still queued"])
def test_a_scanned_message_is_known_when_it_is_handed_over_again_after_a_kill(delivered: bool, tmp_path: Path) -> None:
    with rspamd(ANSWER) as asked:
        room = Room(tmp_path, queue=True, rules=RULES, settings=f'set scan "{asked.url}"\n')
        (tmp_path / "healed").touch()
        with signal_at_effect(2, signal.SIGKILL, after=False):
            assert room.hand(MAIL).status == -signal.SIGKILL
        if delivered:
            assert room.work() == []
        # Its subject in the queue is another one by now.
        assert room.hand(MAIL).status == 0
        assert room.work() == []
    assert len(list((tmp_path / "a/new").iterdir())) == 1
    assert (tmp_path / "b").read_bytes().count(b"letter 1") == 1


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_a_message_without_a_verdict_waits_and_is_scanned_when_rspamd_answers(queue: bool, tmp_path: Path) -> None:
    settings = 'set scan "unix:/nowhere"\n'
    room = Room(tmp_path, queue, RULES, settings)
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == (0 if queue else 75)
    with rspamd(ANSWER) as asked:
        room.configure(RULES, f'set scan "{asked.url}"\n')
        if queue:
            assert room.work() == []
        else:
            assert room.hand(MAIL).status == 0
    assert len(list((tmp_path / "a/new").iterdir())) == 1
    assert room.records() == []


def test_a_retry_without_a_queue_skips_what_is_done_whatever_the_scan_says_now(tmp_path: Path) -> None:
    with rspamd(ANSWER) as asked:
        room = Room(tmp_path, rules=RULES, settings=f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 75
    other = json.dumps(VERDICT | {"score": 9.5, "subject": "[SPAM!] 1"}).encode()
    (tmp_path / "healed").touch()
    with rspamd(says(ok(other))) as asked:
        room.configure(RULES, f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 0
    assert len(list((tmp_path / "a/new").iterdir())) == 1
    assert (tmp_path / "b").read_bytes().count(b"letter 1") == 1


def test_a_message_waits_for_its_verdict_only_for_so_long(tmp_path: Path) -> None:
    settings = 'set scan "unix:/nowhere"\nset scan-failure deliver\n'
    room = Room(tmp_path, queue=True, rules='match all action maildir "a"\n', settings=settings)
    assert room.hand(MAIL).status == 0
    (path,) = (tmp_path / "a/new").iterdir()
    assert b"\nX-Spam-Status: unscanned (" in path.read_bytes()


class Clock:
    """The clock of the runs, some hours ahead of ours or behind it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.hours = 0.0
        real = time.time
        patch.setattr(time, "time", lambda: real() + self.hours * HOUR)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _is_unscanned(room: Room) -> bool:
    [path] = (room.folder / "a/new").iterdir()
    return b"\nX-Spam-Status: unscanned (unreachable: " in path.read_bytes()


@pytest.mark.parametrize("mail", [MAIL, OLD], ids=["without a date", "taken in long ago"])
def test_without_a_queue_two_hours_count_from_the_first_try(mail: bytes, clock: Clock, tmp_path: Path) -> None:
    room = Room(tmp_path, rules=TO_A, settings=NOWHERE)
    for hours, minutes in ((0.0, b"120"), (1.0, b"60"), (1.99, b"1")):
        clock.hours = hours
        outcome = room.hand(mail)
        assert outcome.status == 75
        assert b"goes on without one in %s minutes" % minutes in outcome.stderr
    clock.hours = 2.01
    assert room.hand(mail).status == 0
    assert _is_unscanned(room)
    assert room.records() == []


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
@pytest.mark.parametrize("days", [-400, -1, 1, 400])
def test_a_first_try_with_a_wrong_clock_holds_nothing_up_for_ever(
    days: int, queue: bool, clock: Clock, tmp_path: Path
) -> None:
    room = Room(tmp_path, queue, rules=TO_A, settings=NOWHERE)

    def tries() -> bool:
        if queue and room.entries():
            return not room.work()
        return room.hand(OLD).status == 0 and not queue

    clock.hours = days * 24.0
    assert not tries()
    clock.hours = 0
    # By a clock that went back no time has passed yet; by one that went on, more than enough.
    assert tries() == (days < 0)
    if days > 0:
        clock.hours = 1.9
        assert not tries()
        clock.hours = 2.1
        assert tries()
    assert _is_unscanned(room)


def test_where_nothing_remembers_the_first_try_the_providers_date_counts(clock: Clock, tmp_path: Path) -> None:
    room = Room(tmp_path, rules=TO_A, settings=NOWHERE)
    # Nobody can make a folder below a file.
    room.journal = room.site / "journal"
    room.configure(TO_A, NOWHERE)
    for _ in range(2):
        outcome = room.hand(MAIL)
        assert outcome.status == 75
        assert b"the journal cannot be written" in outcome.stderr
        clock.hours += 3
    assert room.hand(OLD).status == 0
    assert _is_unscanned(room)


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_what_is_too_large_for_the_scan_is_delivered_at_once_and_marked(queue: bool, tmp_path: Path) -> None:
    settings = f"{NOWHERE}set scan-maximum-size {len(MAIL)}\n"
    room = Room(tmp_path, queue, rules="match spam score < 100 action drop\n" + TO_A, settings=settings)
    outcome = room.hand(MAIL + b"x" * 60 + b"\n")
    assert outcome.status == 0
    assert b"delivered without a spam scan: oversized: " in outcome.stderr
    [path] = (tmp_path / "a/new").iterdir()
    assert b"\nX-Spam-Status: unscanned (oversized: " in path.read_bytes()
    assert room.records() == []
    # A smaller one waits.
    assert room.hand(MAIL).status == (0 if queue else 75)
    assert len(list((tmp_path / "a/new").iterdir())) == 1
