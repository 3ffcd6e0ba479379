"""deliver breaks in every way a program can, while the real fetchmail hands over a mailbox; then it works again."""

from __future__ import annotations

import pytest

from tests.faults.fetching import MODES, NO_MAIL
from tests.faults.house import HOME, RULES, House, messages

FAULTS = {
    "user unknown": "cat >/dev/null; exit 67",
    "not now": "cat >/dev/null; exit 75",
    "not allowed": "cat >/dev/null; exit 77",
    "no such program": "cat >/dev/null; exit 127",
    "killed": "kill -9 $$",
    "terminated after half of the message": "head -c 50 >/dev/null; kill -15 $$",
    "not reading and failing": "exit 75",
    "closing its input and failing": "exec <&-; exit 1",
}


def nothing_wrong(house: House, plans: dict[bytes, tuple[str, ...]], mode: str, waiting: int) -> None:
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.waiting) == ([], waiting)


def recovers(house: House, plans: dict[bytes, tuple[str, ...]], mode: str) -> None:
    """After the fault: one poll delivers what is left, and the next finds nothing."""
    house.heal()
    done = house.fetching.poll(mode)
    assert done.status == 0, done
    nothing_wrong(house, plans, mode, waiting=0)
    assert house.fetching.poll(mode).status == NO_MAIL
    nothing_wrong(house, plans, mode, waiting=0)


@pytest.mark.parametrize("mode", MODES)
def test_what_deliver_does_not_take_stays_at_the_provider(house: House, mode: str) -> None:
    """A mailbox in which each message meets another fault."""
    plans = messages(len(FAULTS))
    house.send(plans)
    cases = "\n".join(f"{number}) {fault};;" for number, fault in enumerate(FAULTS.values()))
    house.break_deliver(f"n=$(cat ~/turn || echo 0) 2>/dev/null; echo $((n + 1)) >~/turn; case $n in\n{cases}\nesac")
    done = house.fetching.poll(mode)
    assert done.err.count(b"MDA returned nonzero status 75") == len(plans), done
    nothing_wrong(house, plans, mode, waiting=len(plans))
    recovers(house, plans, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_deliver_that_is_not_there_costs_nothing(house: House, mode: str) -> None:
    plans = messages(2)
    house.send(plans)
    (house.config / "deliver").unlink()
    done = house.fetching.poll(mode)
    assert b"command returned 127" in done.err, done
    nothing_wrong(house, plans, mode, waiting=len(plans))
    recovers(house, plans, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_message_larger_than_a_pipe_that_deliver_does_not_read_does_not_end_the_poll(house: House, mode: str) -> None:
    """fetchmail gives up the whole mailbox when its reader goes away early (SIGPIPE)."""
    plans = messages(2, size=300_000)
    house.send(plans)
    house.break_deliver("exit 75")
    done = house.fetching.poll(mode)
    assert done.err.count(b"MDA returned nonzero status 75") == len(plans), done
    nothing_wrong(house, plans, mode, waiting=len(plans))
    recovers(house, plans, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_deliver_that_hangs_is_killed_with_everything_it_started(house: House, mode: str) -> None:
    plans = messages(1)
    house.send(plans)
    house.configure("set timeout 1\n" + RULES)
    house.break_deliver("flock ~/held tail -f /dev/null & cat >/dev/null; wait")
    done = house.fetching.poll(mode)
    assert b"killed after 1 second" in done.err, done
    nothing_wrong(house, plans, mode, waiting=1)
    # What was killed may take a moment to be gone; by itself it would never be.
    assert house.bed.run("flock", "--wait", "30", f"{HOME}/held", "true").status == 0
    house.configure(RULES)
    recovers(house, plans, mode)


@pytest.mark.parametrize("mode", MODES)
def test_one_bad_message_among_good_ones_stays_alone(house: House, mode: str) -> None:
    plans = messages(5)
    house.send(plans)
    bad = list(plans)[1]
    house.break_deliver(
        'cat >/tmp/m; ! grep -q "^Subject: number 1$" /tmp/m || exit 75\n'
        '/usr/libexec/dovecot/deliver "$@" </tmp/m; exit $?'
    )
    assert house.fetching.poll(mode).status == 0
    assert house.fetching.waiting(mode) == [bad]
    nothing_wrong(house, plans, mode, waiting=1)
    recovers(house, plans, mode)
