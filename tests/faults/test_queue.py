"""With a queue fetchmail is rid of a message at once, and what fails is tried again from there."""

from __future__ import annotations

import json

import pytest

from tests.faults.fetching import MODES, NO_MAIL
from tests.faults.house import ALIAS, HOME, QUEUE, RULES, USER, House, messages
from tests.faults.ledger import balance, original

FAILS = "cat >/dev/null; exit 75"
SECOND_FAILS = f'case "$*" in *Received*) {FAILS};; esac'


def in_time(house: House, plans: dict[bytes, tuple[str, ...]], mode: str) -> None:
    """Nothing is lost while mail is in the queue."""
    result = house.balance(plans, [*house.queued(), *house.fetching.waiting(mode)])
    assert result.wrong == []


@pytest.mark.parametrize("fault", [FAILS, SECOND_FAILS, "kill -9 $$"])
@pytest.mark.parametrize("mode", MODES)
def test_fetchmail_is_told_that_the_message_is_taken(house: House, mode: str, fault: str) -> None:
    plans = messages(3)
    house.send(plans)
    house.configure(QUEUE + RULES)
    house.break_deliver(fault)
    done = house.fetching.poll(mode)
    assert done.status == 0
    assert b"nonzero status" not in done.err
    assert house.fetching.waiting(mode) == []
    assert len(house.queued()) == 3
    in_time(house, plans, mode)
    assert house.fetching.poll(mode).status == NO_MAIL

    house.heal()
    done = house.queue("run", "--once")
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 3), done
    assert house.queued() == []
    assert json.loads(house.queue("list", "--format", "json").out or b"[]") in ([], {})


def test_a_pass_that_delivers_nothing_says_so_and_loses_nothing(house: House) -> None:
    plans = messages(3)
    house.configure(QUEUE + RULES)
    house.break_deliver(SECOND_FAILS)
    assert [house.hand(message).status for message in plans] == [0, 0, 0]
    for _ in range(2):
        house.queue("retry")
        assert house.queue("run", "--once").status == 1
        result = house.balance(plans, house.queued())
        assert (result.wrong, result.waiting) == ([], 3)
        assert len(house.mailboxes()[f"{USER}/INBOX"]) == 2
    house.heal()
    house.queue("retry")
    assert house.queue("run", "--once").status == 0
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 3)


def test_the_order_of_a_mailbox_is_kept(house: House) -> None:
    plans = messages(6)
    house.configure(QUEUE + RULES)
    house.break_deliver(FAILS)
    for message in plans:
        assert house.hand(message).status == 0
    house.heal()
    house.queue("run", "--once")
    for name in (USER, ALIAS):
        sent = [message for message, plan in plans.items() if plan[0].startswith(name)]
        numbers = [message[message.index(b"Subject") :] for message in house.mailboxes()[f"{name}/INBOX"]]
        assert numbers == [message[message.index(b"Subject") :] for message in sent]


def test_a_configuration_that_does_not_parse_keeps_mail_in_the_queue_of_the_site(house: House) -> None:
    plans = messages(2, size=100_000)
    house.send(plans)
    site = f"RULESMITH_CONF={HOME}/site.conf /usr/bin/fdm -a stdin -f ~/fdm.conf -m fetch"
    house.configure(QUEUE, "site.conf")
    house.configure(RULES.replace("match all action", "match all actoin"))
    done = house.fetching.poll("pop3 no keep", site)
    assert b"nonzero status" not in done.err
    assert len(house.queued()) == 2
    house.configure(RULES)
    house.queue("retry")
    house.queue("run", "--once")
    result = house.balance(plans, house.queued())
    assert (result.wrong, result.done) == ([], 2)


@pytest.mark.parametrize("queue", [True, False], ids=["from the queue", "from fetchmail"])
def test_a_poison_message_goes_where_it_is_seen_and_the_others_go_on(house: House, queue: bool) -> None:
    plans = messages(4)
    poison = next(iter(plans))
    house.send(plans)
    house.configure((QUEUE if queue else "") + "set queue-tries 3\nset queue-time 0 seconds\n" + RULES)
    house.break_deliver(
        'case "$*" in *Problem*) exec /usr/libexec/dovecot/deliver "$@";; esac\n'
        'f=$(mktemp); cat >$f; ! grep -q "^Subject: number 0$" $f || exit 75\n'
        '/usr/libexec/dovecot/deliver "$@" <$f; exit $?'
    )
    for _ in range(4):
        house.fetching.poll("imap no keep")
        if queue:
            house.queue("retry")
            house.queue("run", "--once")
    assert house.queued() == []
    assert house.fetching.waiting("imap no keep") == []
    found = house.mailboxes()
    whole, note = found.pop(f"{USER}/Problem")
    assert original(whole) == poison
    assert b"command returned 75" in note
    rest = {message: plan for message, plan in plans.items() if message != poison}
    result = balance(rest, [], found)
    assert (result.wrong, result.done) == ([], 3)
