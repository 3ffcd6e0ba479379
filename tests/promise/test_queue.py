"""With a queue: exit 0 as soon as the message is durable, whatever follows; then it is tried until it is delivered."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith import limits, scanned
from rulesmith.cli import rulesmith
from rulesmith.delivery import again
from rulesmith.delivery import queue as entries
from tests import system
from tests.door import Call, warm, warm_door
from tests.promise.room import PLAN, Room, a_mail

MAIL = a_mail()
BROKEN = 'match all action { maildir "a" pipe "test -e healed && cat >>b" mbox "c" }\n'


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def _queue(room: Room, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(rulesmith, ["queue", words[0], "--queue", str(room.queue), *words[1:]])
    return done.exit_code, done.output


def _listed(room: Room) -> list[dict[str, object]]:
    return [json.loads(line) for line in _queue(room, "list", "--format", "json")[1].splitlines()]


def test_a_message_that_is_delivered_leaves_nothing(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == dict.fromkeys("abcd", 1)
    assert (room.entries(), room.records()) == ([], [])


def test_what_fails_is_tried_again_and_what_is_done_is_not(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    begin = int(time.time())
    assert room.hand(MAIL).status == 0
    end = time.time()
    (entry,) = _listed(room)
    assert entry["tries"] == 1
    assert (entry["done"], entry["left"]) == (["maildir a"], ["pipe test -e healed && cat >>b"])
    assert "command returned 1" in str(entry["reason"])
    assert begin < int(str(entry["next"])) <= end + 60
    assert len(room.work()) == 1
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert room.copies(MAIL) == {"a": 1, "b": 1, "c": 1}
    assert room.entries() == []


@pytest.mark.parametrize("fault", ["broken", "missing", "unreadable", "no rules", "no account", "half"])
def test_a_configuration_that_cannot_be_used_makes_the_message_wait(fault: str, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True)
    conf = tmp_path / "conf"
    text = conf.read_text()
    room.site.write_text(f'set queue "{room.queue}"\n')
    if fault == "missing":
        conf.unlink()
    elif fault == "unreadable":
        # Root may read everything; a folder in its place nobody can read as a file.
        conf.unlink()
        conf.mkdir()
    else:
        conf.write_text(
            {
                "broken": text + "match all actoin drop\n",
                "half": text[: len(text) - 20],
                "no rules": text.partition("match")[0],
                "no account": PLAN,
            }[fault]
        )
    assert room.hand(MAIL).status == 0
    assert len(room.work()) == 1
    (entry,) = _listed(room)
    assert (entry["done"], entry["tries"]) == ([], 2)
    if fault == "unreadable":
        conf.rmdir()
    conf.write_text(text)
    conf.chmod(0o600)
    assert room.work() == []
    assert room.copies(MAIL) == dict.fromkeys("abcd", 1)


def test_a_fault_of_ours_makes_the_message_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, queue=True)
    with monkeypatch.context() as patch:
        patch.setattr("rulesmith.mda.describe", lambda *_: 1 / 0)
        outcome = room.hand(MAIL)
    assert (outcome.status, b"ZeroDivisionError" in outcome.stderr, outcome.stdout) == (0, True, b"")
    assert "ZeroDivisionError" in str(_listed(room)[0]["reason"])
    assert room.work() == []
    assert room.copies(MAIL) == dict.fromkeys("abcd", 1)


@pytest.mark.parametrize("mail", [b"", None], ids=["empty", "too big"])
def test_what_is_no_message_is_not_queued(mail: bytes | None, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, settings="set maximum-size 1000\n")
    assert room.hand(MAIL + b"x" * 2000 if mail is None else mail).status == 75
    assert room.entries() == []


@pytest.mark.parametrize(
    "mail", [b"no header\n", b"A: 1\n", b"A: 1\n\n\0\xff\r\nFrom x\n", b"\n", b"A: 1\n\n" + b"x" * 5_000_000 + b"\n"]
)
def test_any_message_is_kept_octet_for_octet(mail: bytes, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules='match all action pipe "test -e healed && cat >b"\n')
    assert room.hand(mail).status == 0
    (name,) = entries.names(bytes(room.queue or b""))
    entry = entries.look(bytes(room.queue or b""), name)
    assert entry.raw() == mail
    entry.close()
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert (tmp_path / "b").read_bytes() == mail


def test_a_retry_has_the_folder_the_home_and_the_options_of_the_first_try(tmp_path: Path) -> None:
    rules = 'match all action pipe "test -e healed && { pwd; echo $HOME; umask; } >>b"\n'
    room = Room(tmp_path, queue=True, rules=rules)
    assert room.hand(MAIL).status == 0
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert (tmp_path / "b").read_text().splitlines()[:2] == [str(tmp_path), str(tmp_path)]


def test_a_retry_is_for_the_recipient_of_the_first_try(tmp_path: Path) -> None:
    """Mail servers tell a command its recipient in the environment."""
    room = Room(tmp_path, queue=True, rules="match all action pipe 'test -e healed && cat >>\"box-$RECIPIENT\"'\n")
    call = room.call(MAIL)
    for name in ("bob", "alice"):
        assert warm_door(Call(call.args, MAIL, call.cwd, {**call.env, "RECIPIENT": name})).status == 0
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert {each.name for each in tmp_path.glob("box-*")} == {"box-bob", "box-alice"}


def test_a_queue_that_cannot_be_written_leaves_the_message_with_the_caller(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    assert room.queue
    room.queue.write_text("no folder")
    outcome = room.hand(MAIL)
    assert (outcome.status, b"the queue cannot take the message" in outcome.stderr) == (75, True)
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "b": 1, "c": 1}


LONG = a_mail(more=b"\n" + b"x" * (limits.SPOOL_MEMORY + 1))


@pytest.mark.parametrize("mail", [MAIL, LONG], ids=["short", "long"])
def test_a_message_that_cannot_be_synced_is_delivered_from_memory_or_not_at_all(
    mail: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path, queue=True, rules='match all action pipe "cat >>b"\n')
    assert room.queue
    room.queue.mkdir(0o700)
    sync = os.fsync

    def broken(descriptor: int) -> None:
        if "/queue/." in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(5, "Input/output error")
        sync(descriptor)

    system.replace(monkeypatch, "fsync", broken)
    call = room.call(mail)
    # The lock of the program may get the number of the file that was given up.
    outcome = warm_door(Call([each for each in call.args if each != "-m"], mail, call.cwd, call.env))
    assert (outcome.status, b"Traceback" in outcome.stderr) == (0 if mail == MAIL else 75, False), outcome
    assert (room.copies(mail)["b"], room.entries()) == (int(mail == MAIL), [])
    monkeypatch.undo()
    assert room.hand(LONG).status == 0
    assert room.copies(LONG)["b"] == 1


def test_a_long_message_that_is_scanned_is_read_from_its_new_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first file is closed when the scanned text takes its place; the problem mailbox asks for it once more."""
    settings = 'set queue-tries 1\nset queue-time 0 seconds\nset scan "unix:/nowhere"\n'
    room = Room(tmp_path, queue=True)
    room.configure('match all action pipe "exit 1"\n', settings + f'set problem-mailbox "{tmp_path}/a"\n')
    found = {"score": 1.0, "required": 15.0, "action": b"no action", "symbols": {}}
    monkeypatch.setattr(scanned, "scan", lambda raw, *_: (b"X-Spam-Score: 1\n" + raw, found))
    assert room.hand(LONG).status == 0
    assert b"X-Spam-Score: 1\n" + LONG in [each.read_bytes() for each in (tmp_path / "a/new").iterdir()]
    assert room.entries() == []


def test_messages_arrive_in_their_order(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules='match all action pipe "test -e healed && cat >>b"\n')
    for number in range(6):
        assert room.hand(a_mail(number)).status == 0
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert (tmp_path / "b").read_bytes() == b"".join(map(a_mail, range(6)))


def test_a_message_that_fails_holds_up_nobody_else(tmp_path: Path) -> None:
    rules = 'match "^Subject: 1" in headers action pipe "false"\nmatch all action pipe "test -e healed && cat >>b"\n'
    room = Room(tmp_path, queue=True, rules=rules)
    for number in (1, 2):
        assert room.hand(a_mail(number)).status == 0
    (tmp_path / "healed").touch()
    assert len(room.work()) == 1
    assert (tmp_path / "b").read_bytes() == a_mail(2)


def test_two_passes_at_once_deliver_each_message_once(tmp_path: Path) -> None:
    rules = 'match all action { maildir "a" pipe "test -e healed && sleep 0.02 && cat >>b" }\n'
    room = Room(tmp_path, queue=True, rules=rules)
    for number in range(8):
        assert room.hand(a_mail(number)).status == 0
    (tmp_path / "healed").touch()
    pid = os.fork()
    if not pid:
        room.work()
        os._exit(0)
    room.work()
    assert os.waitpid(pid, 0)[1] == 0
    assert room.work() == []
    assert [room.copies(a_mail(number)) for number in range(8)] == [{"a": 1, "b": 1}] * 8


def test_a_process_that_is_killed_each_time_is_counted_and_waits(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules='match all action pipe "kill -9 $PPID"\n')
    assert room.hand(MAIL).status == -signal.SIGKILL
    assert len(room.work()) == 1
    (entry,) = _listed(room)
    assert (entry["tries"], "killed by signal 9" in str(entry["reason"])) == (1, True)


def test_run_works_until_it_is_told_to_stop(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    command = [sys.executable, "-m", "rulesmith", "queue", "run", "--queue", str(room.queue)]
    assert room.hand(MAIL).status == 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=room.call(b"").env) as runner:
        assert runner.stdout is not None
        # The first retry comes after seconds.
        while b"deferred" not in runner.stdout.readline():
            assert runner.poll() is None
        (tmp_path / "healed").touch()
        while not runner.stdout.readline().endswith(b": delivered\n"):
            assert runner.poll() is None
        runner.terminate()
        assert runner.wait(60) == 0
    assert room.copies(MAIL) == {"a": 1, "b": 1, "c": 1}


def test_the_queue_of_the_site_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    room.hand(MAIL)
    site = tmp_path / "site"
    site.write_text(f'set queue "{room.queue}"\n')
    monkeypatch.setenv("RULESMITH_CONF", str(site))
    module = importlib.import_module("rulesmith.cli.queue")
    monkeypatch.setattr(module, "default_config", lambda _home: str(tmp_path / "none"))
    done = CliRunner().invoke(rulesmith, ["queue", "list", "--format", "json"])
    assert (done.exit_code, json.loads(done.stdout)["tries"], done.stderr) == (0, 1, "")
    site.write_text("set queu x\n")
    done = CliRunner().invoke(rulesmith, ["queue", "list"])
    assert (done.exit_code, "unknown word `queu`" in done.stderr) == (2, True)


def test_list_and_show_say_what_is_known(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    assert _queue(room, "list") == (0, "")
    room.hand(MAIL)
    ((name, entry),) = [(str(each["id"]), each) for each in _listed(room)]
    assert sorted(entry) == ["done", "id", "left", "next", "reason", "since", "tries"]
    status, text = _queue(room, "list")
    assert (status, text.startswith(name), "command returned 1" in text) == (0, True, True)
    status, text = _queue(room, "show", name)
    assert status == 0
    assert "done:   maildir a\n" in text
    assert "Subject: 1\n" in text
    done = subprocess.run(
        [sys.executable, "-m", "rulesmith", "queue", "show", "--raw", "--queue", str(room.queue), name],
        capture_output=True,
        check=True,
    )
    assert done.stdout == MAIL


def test_retry_tries_now(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    room.hand(MAIL)
    name = str(_listed(room)[0]["id"])
    assert _queue(room, "retry", name)[0] == 1
    (tmp_path / "healed").touch()
    assert _queue(room, "retry", name) == (0, f"{name}: delivered\n")
    assert _queue(room, "retry", name)[0] == 1, "it is not there any more"
    assert _queue(room, "retry", "--all") == (0, "")


def test_drop_throws_away(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN)
    room.hand(MAIL)
    name = str(_listed(room)[0]["id"])
    entry = entries.open_entry(bytes(room.queue or b""), name.encode())
    assert "is being delivered right now" in _queue(room, "drop", name)[1]
    entry.close()
    assert _queue(room, "drop", name) == (0, f"{name}: dropped\n")
    assert room.entries() == []


KILLED = "match all action pipe 'kill -9 $PPID'\n"


def test_what_is_dropped_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller, whom a kill has kept from hearing that it is taken, brings it once more."""
    room = Room(tmp_path, queue=True, rules=KILLED)
    assert room.hand(MAIL).status == -9
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    system.replace(monkeypatch, "fsync", noted)
    assert _queue(room, "drop", str(_listed(room)[0]["id"]))[0] == 0
    assert str(room.queue) in synced
    room.configure(PLAN)
    outcome = room.hand(MAIL)
    assert (outcome.status, b"or dropped" in outcome.stderr, room.copies(MAIL)) == (0, True, {})
    assert room.hand(MAIL).status == 0
    assert room.copies(MAIL)["a"] == 1


def test_an_equal_message_whose_caller_was_just_told_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path, queue=True, rules=KILLED)
    assert room.queue
    assert room.hand(MAIL).status == -9
    [taken] = room.queue.glob("*.taken")
    plain = again._is_same

    def and_then_told(*args: bytes) -> bool:
        found = plain(*args)
        if taken.exists():
            taken.rename(taken.with_suffix(".mail"))
        return found

    monkeypatch.setattr(again, "_is_same", and_then_told)
    room.configure(PLAN)
    assert room.hand(MAIL).status == 0
    assert room.work() == []
    assert room.copies(MAIL) == {"a": 2, "b": 2, "c": 2, "d": 2}


def test_release_puts_a_message_into_the_problem_mailbox(tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules=BROKEN, settings=f'set problem-mailbox "{tmp_path}/P"\n')
    room.hand(MAIL)
    name = str(_listed(room)[0]["id"])
    assert _queue(room, "release", name) == (0, f"{name}: released\n")
    assert room.entries() == []
    first, note = sorted((each.read_bytes() for each in (tmp_path / "P/new").iterdir()), key=len)
    assert first == MAIL
    assert b"Subject: A message that could not be delivered\n" in note


@pytest.mark.parametrize("words", [("retry",), ("drop",), ("release",), ("drop", "../x"), ("show", "x/y")])
def test_a_command_wants_ids(words: tuple[str, ...], tmp_path: Path) -> None:
    assert _queue(Room(tmp_path, queue=True), *words)[0] == 2
