"""Without a queue: the journal remembers what is done, and the caller keeps the message."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith import limits
from rulesmith.delivery import command, journal
from rulesmith.delivery.progress import Progress, unpack
from rulesmith.effects import DELIVER, Failure
from tests import system
from tests.door import Call, warm, warm_door
from tests.promise.room import Room, a_mail, signal_at_effect

MAIL = a_mail()
ME = (b"me", 1000, 1000, b"/home/me")
BROKEN = 'match all action { maildir "a" pipe "test -e healed && cat >>b" mbox "c" }\n'


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _step(path: bytes) -> tuple[object, ...]:
    return DELIVER, "maildir", (path,), ME, b"raw"


def test_a_retry_skips_what_is_done(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=BROKEN)
    assert [room.hand(MAIL).status for _ in range(3)] == [75, 75, 75]
    assert room.copies(MAIL) == {"a": 1}
    assert len(room.records()) == 1
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "b": 1, "c": 1}
    assert room.records() == []


def test_what_fetchmail_and_rspamd_change_between_two_fetches_does_not_matter(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=BROKEN)
    assert room.hand(b"Received: one\nX-Spam-Score: 1\n" + MAIL).status == 75
    (tmp_path / "healed").touch()
    assert room.hand(b"X-Spam-Score: 2\nReceived: two\n" + MAIL).status == 0
    assert len(list((tmp_path / "a/new").iterdir())) == 1


FOR_SOMEBODY = {
    "folder": 'mbox "a" pipe "test -e ../healed && cat >>b"',
    "home": "pipe 'cat >>$HOME/a' pipe 'test -e healed && cat >>$HOME/b'",
    "recipient": "pipe 'cat >>$RECIPIENT/a' pipe 'test -e healed && cat >>$RECIPIENT/b'",
    "macro": 'mbox "${who}/a" pipe "test -e healed && cat >>${who}/b"',
}


@pytest.mark.parametrize("differs", FOR_SOMEBODY)
def test_what_is_stored_for_one_user_is_not_taken_for_stored_for_another(differs: str, tmp_path: Path) -> None:
    """They get equal letters, by one configuration; the call says for whom it is."""
    room = Room(tmp_path, rules=f"match all action {{ {FOR_SOMEBODY[differs]} }}\n")

    def hand(user: str) -> int | None:
        call, home = room.call(MAIL), str(tmp_path / user)
        words = [*call.args, *(["-D", f"$who={user}"] if differs == "macro" else [])]
        words[1] = str(tmp_path / "conf")
        told = {"home": {"HOME": home}, "recipient": {"RECIPIENT": user}}
        environment = {**call.env, **told.get(differs, {})}
        return warm_door(Call(words, MAIL, home if differs == "folder" else call.cwd, environment)).status

    for user in ("bob", "alice"):
        (tmp_path / user).mkdir()
    assert hand("bob") == 75
    (tmp_path / "healed").touch()
    assert (hand("alice"), hand("bob")) == (0, 0)
    found = {
        each: (tmp_path / each).read_bytes().count(b"letter 1") for each in ("bob/a", "bob/b", "alice/a", "alice/b")
    }
    assert set(found.values()) == {1}, found


def test_two_messages_with_one_message_id_are_not_confused(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=BROKEN)
    other = MAIL.replace(b"letter", b"other letter")
    assert [room.hand(MAIL).status, room.hand(other).status] == [75, 75]
    assert (room.copies(MAIL)["a"], room.copies(other)["a"], len(room.records())) == (1, 1, 2)


def test_a_retry_after_a_change_of_the_configuration_skips_what_is_really_the_same(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=BROKEN)
    assert room.hand(MAIL).status == 75
    room.configure('match all action { mbox "c" maildir "d" maildir "a" }\n')
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "c": 1, "d": 1}


def test_the_same_target_twice_in_one_plan_is_two_deliveries(tmp_path: Path) -> None:
    room = Room(tmp_path, rules='match all action { maildir "a" maildir "a" pipe "test -e healed && cat >>b" }\n')
    assert room.hand(MAIL).status == 75
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 2, "b": 1}


def test_tags_of_time_are_those_of_the_first_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, rules='match all action { maildir "m-%[hour]%[minute]%[second]" pipe "test -e healed" }\n')
    assert room.hand(MAIL).status == 75
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 100)
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    assert len(list(tmp_path.glob("m-*"))) == 1


@pytest.mark.parametrize("before", ["", 'match "^Subject" in headers action tag "t" continue\n'])
def test_a_plan_of_one_delivery_writes_nothing(before: str, tmp_path: Path) -> None:
    room = Room(tmp_path, rules=before + 'match all action { tag "x" maildir "a" }\n')
    assert room.hand(MAIL).status == 0
    assert not room.journal.exists()


def test_a_key_added_before_a_failure_does_not_make_the_retry_a_duplicate(tmp_path: Path) -> None:
    rules = (
        f'cache "{tmp_path}/seen"\nmatch in-cache "{tmp_path}/seen" key "%[message_id]" action drop\n'
        f'match all action {{ add-to-cache "{tmp_path}/seen" key "%[message_id]" pipe "test -e healed && cat >>b" }}\n'
    )
    room = Room(tmp_path, rules=rules)
    assert room.hand(MAIL).status == 75
    # Meanwhile a true duplicate is known as one.
    assert room.hand(MAIL.replace(b"letter", b"other")).status == 0
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"b": 1}
    assert room.hand(MAIL).status == 0
    assert (room.copies(MAIL), room.records()) == ({"b": 1}, [])


def test_without_a_journal_a_key_is_added_only_when_the_plan_is_done(tmp_path: Path) -> None:
    rules = (
        f'cache "{tmp_path}/seen"\nmatch in-cache "{tmp_path}/seen" key "%[message_id]" action drop\n'
        f'match all action {{ add-to-cache "{tmp_path}/seen" key "%[message_id]" pipe "test -e healed && cat >>b" }}\n'
    )
    room = Room(tmp_path, rules=rules)
    room.journal.write_text("no folder")
    assert room.hand(MAIL).status == 75
    (tmp_path / "healed").touch()
    assert [room.hand(MAIL).status, room.hand(MAIL).status] == [0, 0]
    assert room.copies(MAIL) == {"b": 1}


def test_where_no_journal_can_be_written_each_failure_says_so(tmp_path: Path) -> None:
    room = Room(tmp_path, rules=BROKEN)
    room.journal.write_text("no folder")
    assert b"a retry may repeat deliveries" in room.hand(MAIL).stderr


def test_where_no_journal_can_be_written_a_stop_says_so_too(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.journal.write_text("no folder")
    with signal_at_effect(1, signal.SIGTERM, after=False):
        outcome = room.hand(MAIL)
    assert (outcome.status, b"a retry may repeat deliveries" in outcome.stderr) == (75, True)


def test_a_record_that_cannot_leave_the_journal_is_empty_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = journal.create(bytes(tmp_path), b"name", 7)
    progress.store(_step(b"/a"), {})
    with monkeypatch.context() as closed:
        system.replace(closed, "unlink", _refuse)
        progress.move(bytes(tmp_path / "elsewhere"))
    progress.close()
    moved = Progress(bytes(tmp_path / "elsewhere"), os.open(tmp_path / "elsewhere", os.O_RDWR))
    assert moved.known(_step(b"/a")) == {}
    stayed = journal.find(bytes(tmp_path), b"name")
    assert stayed is not None
    assert stayed.known(_step(b"/a")) is None


def _refuse(path: bytes) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def test_a_record_that_finds_no_room_in_the_queue_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Room(tmp_path, rules=BROKEN).hand(MAIL).status == 75

    def move(_self: Progress, _path: bytes) -> None:
        raise Failure("No space left on device")

    room = Room(tmp_path, queue=True, rules=BROKEN)
    monkeypatch.setattr(Progress, "move", move)
    assert room.hand(MAIL).status == 0
    assert len(room.work()) == 1
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert room.copies(MAIL) == {"a": 1, "b": 1, "c": 1}
    assert room.records() == []


def test_two_processes_at_once_on_one_message(tmp_path: Path) -> None:
    rules = 'match all action { maildir "a" pipe "touch there; sleep 0.3; cat >>b" maildir "d" }\n'
    room = Room(tmp_path, rules=rules)
    room.hand(a_mail(2))
    pid = os.fork()
    if not pid:
        os._exit(room.hand(MAIL).status or 0)
    while not (tmp_path / "there").exists():
        os.sched_yield()
    # It waits for the first and then finds no record: two copies were handed over, two arrive.
    assert room.hand(MAIL).status == 0
    assert os.waitpid(pid, 0)[1] == 0
    assert room.copies(MAIL) == {"a": 2, "b": 2, "d": 2}
    assert room.records() == []


def test_who_finds_a_message_in_other_hands_asks_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "JOURNAL_PATIENCE", 0.1)
    progress = journal.create(bytes(tmp_path), b"name", 1)
    progress.keep()
    with pytest.raises(Failure, match="another process"):
        journal.find(bytes(tmp_path), b"name")
    progress.close()
    found = journal.find(bytes(tmp_path), b"name")
    assert found is not None
    assert found.now == 1


def test_equal_messages_at_the_same_time_have_a_record_each(tmp_path: Path) -> None:
    first, second = (journal.create(bytes(tmp_path), b"name", when) for when in (1, 2))
    assert first.path != second.path
    first.store(_step(b"/a"), {})
    first.close()
    found = journal.find(bytes(tmp_path), b"name")
    assert found is not None
    assert found.known(_step(b"/a")) == {}


def test_a_torn_tail_ends_the_record_and_is_written_over(tmp_path: Path) -> None:
    progress = journal.create(bytes(tmp_path), b"name", 7)
    progress.store(_step(b"/a"), {b"mail_file": b"/a/new/ 1%\n"})
    progress.fail(8, b"why not")
    path = Path(os.fsdecode(progress.path))
    whole = path.read_bytes()
    progress.close()
    begin = len(b"".join(whole.splitlines(keepends=True)[:3]))
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end])
        found = journal.find(bytes(tmp_path), b"name")
        assert found is not None
        assert (found.now, found.tries, found.known(_step(b"/a"))) == (7, 0, {b"mail_file": b"/a/new/ 1%\n"})
        assert found.known(_step(b"/a")) is None
        found.retry(9)
        found.fail(9, b"again")
        found.close()
        assert all(unpack(line) for line in path.read_bytes().splitlines())
    damaged = whole[:begin] + whole[begin:].replace(b"fail", b"fall")
    path.write_bytes(damaged)
    assert Progress(bytes(path), os.open(path, os.O_RDWR)).tries == 0


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _octets: b"",
    "first line": lambda octets: b"x" + octets[1:],
    "cache line": lambda octets: octets.replace(b" cache ", b" cachf "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_makes_no_message_a_duplicate_of_itself_or_half_a_century_old(
    damage: str, tmp_path: Path
) -> None:
    cache = f'"{tmp_path}/keys" key "%[message_id]"'
    rules = (
        f'cache "{tmp_path}/keys"\nmatch in-cache {cache} action drop\nmatch all action add-to-cache {cache} continue\n'
        'match all action pipe "test -e healed && cat >>b-%[year]"\n'
    )
    room = Room(tmp_path, rules=rules)
    assert room.hand(MAIL).status == 75
    [record] = (tmp_path / "journal").iterdir()
    record.write_bytes(DAMAGES[damage](record.read_bytes()))
    if damage == "empty":
        # Killed before the record had a line, and so before there was a key.
        (tmp_path / "keys").unlink()
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    [box] = tmp_path.glob("b-2*")
    assert box.read_bytes() == MAIL
    assert room.records() == []


def test_the_journal_is_bounded_in_number_and_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "JOURNAL_FILES", 5)
    for number in range(9):
        journal.create(bytes(tmp_path), b"%d" % number, 1).close()
        os.utime(tmp_path / f"{number}.0.journal", (time.time() - 100 + number,) * 2)
    assert sorted(os.listdir(tmp_path)) == [f"{number}.0.journal" for number in range(4, 9)]
    old = time.time() - limits.JOURNAL_DAYS * 86400 - 1
    for number in (4, 5):
        os.utime(tmp_path / f"{number}.0.journal", (old, old))
    held = os.open(tmp_path / "5.0.journal", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    journal.create(bytes(tmp_path), b"new", 1).close()
    os.close(held)
    left = os.listdir(tmp_path)
    assert "4.0.journal" not in left
    assert "5.0.journal" in left, "somebody is at work on it"


@pytest.mark.parametrize("bound", ["number", "age"])
def test_a_message_whose_record_was_too_much_is_no_duplicate_of_itself(
    bound: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = (
        'cache "{0}/keys"\nmatch in-cache "{0}/keys" key "%[message_id]" action drop\n'
        'match all action add-to-cache "{0}/keys" key "%[message_id]" continue\n'
        'match all action pipe "test -e healed && cat >>b"\n'
    )
    room = Room(tmp_path, rules=rules.format(tmp_path))
    mails = [a_mail(number) for number in range(4)]
    monkeypatch.setattr(journal, "JOURNAL_FILES", 2 if bound == "number" else 100)
    for mail in mails:
        assert room.hand(mail).status == 75
        if bound == "age":
            old = time.time() - limits.JOURNAL_DAYS * 86400 - 1
            for each in (tmp_path / "journal").iterdir():
                os.utime(each, (old, old))
    assert len(room.records()) < len(mails)
    (tmp_path / "healed").touch()
    assert [room.hand(mail).status for mail in mails] == [0] * 4
    assert [room.copies(mail)["b"] for mail in mails] == [1] * 4
    # That they are there is known: a second copy is a duplicate.
    assert room.hand(mails[0]).status == 0
    assert room.copies(mails[0])["b"] == 1


def test_a_record_of_many_failures_stays_short(tmp_path: Path) -> None:
    progress = journal.create(bytes(tmp_path), b"name", 1)
    progress.store(_step(b"/a"), {b"t": b"1"})
    progress.will_change(b"cache", b"key", lambda: True)
    for number in range(500):
        progress.retry(number + 1)
        progress.fail(number + 1, b"x" * 5000, b"cause")
    assert progress.tries == 500
    assert os.stat(progress.path).st_size < 64 * limits.PROGRESS_TEXT
    progress.close()
    again = journal.find(bytes(tmp_path), b"name")
    assert again is not None
    assert (again.tries, again.since, again.known(_step(b"/a")), again.had(b"cache", b"key")) == (
        500,
        1,
        {b"t": b"1"},
        True,
    )


def test_a_killed_try_counts(tmp_path: Path) -> None:
    progress = journal.create(bytes(tmp_path), b"name", 1)
    for when in (10, 20, 30):
        progress.retry(when)
    progress.close()
    again = journal.find(bytes(tmp_path), b"name")
    assert again is not None
    assert (again.tries, again.since, again.last) == (3, 10, 30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_a_delivery_that_hangs_within_two_seconds(number: int, tmp_path: Path) -> None:
    room = Room(
        tmp_path, rules='match all action { maildir "a" pipe "trap : TERM; touch there; while :; do sleep 1; done" }\n'
    )
    call = room.call(MAIL)
    read, write = os.pipe()
    os.write(write, MAIL)
    os.close(write)
    pid = os.fork()
    if not pid:
        from tests.door import _become

        os.dup2(read, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # as some callers do
        _become(call, call.env)
    os.close(read)
    while not (tmp_path / "there").exists():
        os.sched_yield()
    begin = time.monotonic()
    os.kill(pid, number)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 75
    # Of a machine that has nothing else to do; the command itself would go on until the timeout of 20 seconds.
    assert limits.STOP_GRACE + command._GRACE < 2
    assert time.monotonic() - begin < 15
    room.configure('match all action { maildir "a" maildir "d" }\n')
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "d": 1}
