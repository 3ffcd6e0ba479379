"""Faults of the process itself: too little memory, no streams, killed from outside, two at once, a clock set back."""

from __future__ import annotations

import signal

import pytest

from tests.faults.fetching import MODES, NO_MAIL
from tests.faults.house import DOOR, HOME, PYTHON, QUEUE, RULES, USER, House, messages

# Whoever stops it waits for the delivery under way, however busy the machine is; what hangs is another test's.
_PATIENT = (
    f"export DOOR=$$; exec {PYTHON} -c 'import sys; from rulesmith import fdm; fdm.STOP_GRACE = 60.0;"
    f" sys.exit(fdm.main())' {DOOR.removeprefix('/usr/bin/fdm ')}"
)


def test_too_little_memory_costs_nothing(house: House) -> None:
    """From where nothing can start to where everything fits; what deliver cannot do in it is a fault of deliver."""
    plans = messages(1, size=20 << 20)
    [message] = plans
    house.configure(RULES.replace('match "^D', 'match "no such text" in body action drop\nmatch "^D'))
    # The first run compiles the configuration, which is not what is to be tried.
    assert house.hand(message).status == 0
    statuses = []
    for mebibytes in (4, 16, 32, 48, 64, 80, 96, 128, 256):
        house.local.clear()
        done = house.hand(message, f"ulimit -v {mebibytes << 10}; exec {DOOR}")
        result = house.balance(plans, [message] if done.status else [])
        assert result.lost == []
        assert result.altered == []
        assert result.duplicated == []
        if mebibytes >= 32:
            assert done.status in (0, 75), done
        statuses.append(done.status)
    assert statuses[0] != 0
    assert statuses[-1] == 0


@pytest.mark.parametrize(
    ("streams", "status"),
    [
        (">&- 2>&-", 0),
        (">/dev/full 2>/dev/full", 0),
        (">&-", 0),
        ("2>&-", 0),
        ("<&-", 75),
        ("</dev/null", 75),
        ("<&- >&- 2>&-", 75),
        ("</", 75),
    ],
)
@pytest.mark.parametrize("works", [True, False], ids=["deliver works", "deliver fails"])
def test_closed_and_full_streams_change_nothing(house: House, streams: str, status: int, works: bool) -> None:
    plans = messages(1)
    [message] = plans
    if not works:
        house.break_deliver("cat >/dev/null; echo wrong >&2; exit 1")
        status = 75
    done = house.hand(message, f"{DOOR} {streams}")
    # What was never handed over is not lost, and 1 is what fdm says where there is nothing to read at all.
    assert done.status in ((status,) if "<" not in streams else (75, 1)), done
    result = house.balance(plans, [message] if done.status else [])
    assert (result.wrong, result.done) == ([], int(status == 0))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("at", ["INBOX", "Received"])
@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_the_door_is_killed_while_deliver_is_at_work(house: House, number: int, at: str, queue: bool) -> None:
    """The caller brings the message again; at worst the delivery under way is made twice."""
    plans = messages(1)
    [message] = plans
    house.configure((QUEUE if queue else "") + RULES)
    when = '"$*" = "${*#*Received}"' if at == "INBOX" else '"$*" != "${*#*Received}"'
    house.break_deliver(f"[ {when} ] && [ ! -e ~/killed ] && {{ touch ~/killed; kill -{int(number)} $DOOR; }}")
    done = house.hand(message, _PATIENT if number == signal.SIGTERM else DOOR)
    assert (house.bed.home / "killed").exists()
    told = done.status == 0
    if number == signal.SIGTERM:
        assert done.status in (0, 75), done
    assert house.balance(plans, [message] * (not told) + house.queued()).lost == []
    # deliver outlives the door; it has an end too.
    house.idle()
    house.heal()
    if not told:
        assert house.hand(message).status == 0
    if queue:
        house.queue("retry")
        assert house.queue("run", "--once").status == 0
    result = house.balance(plans, house.queued())
    assert (result.lost, result.altered, result.astray, result.done) == ([], [], [], 1)
    copies = [len(house.mailboxes()[f"{USER}/{folder}"]) for folder in ("INBOX", "Received")]
    assert sum(copies) <= (3 if number == signal.SIGKILL else 2), copies


@pytest.mark.parametrize("mode", MODES)
def test_fetchmail_is_killed_in_the_middle(house: House, mode: str) -> None:
    """It fetches again what it has not marked; with POP3 that is the whole session. None is lost."""
    plans = messages(6)
    house.send(plans)
    house.break_deliver('case "$*" in *alias*Received*) kill -9 $(head -1 ~/fetchmail.pid);; esac')
    house.bed.wait(house.bed.begin(*house.fetching.command(mode)))
    house.heal()
    assert house.balance(plans, house.fetching.waiting(mode)).lost == []
    house.fetching.poll(mode)
    assert house.fetching.poll(mode).status == NO_MAIL
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.lost, result.altered, result.astray, result.done) == ([], [], [], 6)
    # The session's messages before the kill, twice each in both of their folders.
    assert len(result.duplicated) <= (6 if mode.startswith("pop3") else 2)


@pytest.mark.parametrize("target", ["maildir", "mbox", "append", "pipe"])
def test_many_at_once_are_all_there(house: House, target: str) -> None:
    plans = messages(12, size=30_000)
    action = f'pipe "/config/deliver -d {USER}"' if target == "pipe" else f'{target} "{HOME}/box"'
    house.configure(f'account "stdin" disabled stdin\nset lock-timeout 60\nmatch all action {action}\n')
    first, *others = plans
    # Compiled once, and not by all of them at once.
    assert house.hand(first).status == 0
    names = [house.bed.begin("sh", "-c", DOOR, stdin=message) for message in others]
    done = [house.bed.wait(name) for name in names]
    assert [each.status for each in done] == [0] * len(others), done
    if target == "pipe":
        found = house.mailboxes()[f"{USER}/INBOX"]
    elif target == "maildir":
        found = [path.read_bytes() for path in (house.bed.home / "box" / "new").iterdir()]
    else:
        found = [(house.bed.home / "box").read_bytes()]
    for message in plans:
        assert sum(each.count(message[message.index(b"Subject:") :]) for each in found) == 1


def test_two_at_once_with_the_same_message_and_journal(house: House) -> None:
    [message] = messages(1)
    house.break_deliver('case "$*" in *Received*) cat >/dev/null; exit 75;; esac')
    assert house.hand(message).status == 75
    house.heal()
    names = [house.bed.begin("sh", "-c", DOOR, stdin=message) for _ in range(2)]
    assert [house.bed.wait(name).status for name in names] == [0, 0]
    # One goes on where the first try ended; the other is a message of its own.
    assert [len(house.mailboxes()[f"{USER}/{each}"]) for each in ("INBOX", "Received")] == [2, 2]


@pytest.mark.parametrize("days", [-400, -1, 400])
def test_a_clock_that_is_wrong_delays_nothing_for_ever(house: House, days: int) -> None:
    """The first try happens with another clock; the retry finds its own time, in the journal and in the queue."""
    plans = messages(2)
    of_user, of_site = list(plans)
    wrong = f"exec {house.clock(days)} {DOOR.removeprefix('/usr/bin/fdm ')}"
    fails = 'case "$*" in *Received*) cat >/dev/null; exit 75;; esac'
    house.break_deliver(fails)
    assert house.hand(of_user, wrong).status == 75
    house.configure(QUEUE + RULES)
    assert house.hand(of_site, wrong).status == 0
    assert house.balance(plans, [of_user, *house.queued()]).wrong == []
    house.heal()
    house.configure(RULES)
    assert house.hand(of_user).status == 0
    # At most the pause that it would have had to wait for anyway.
    house.queue("retry")
    assert house.queue("run", "--once").status == 0
    result = house.balance(plans, house.queued())
    assert (result.wrong, result.done) == ([], 2)
