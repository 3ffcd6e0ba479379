"""The first delivery of a plan works and the second does not, until it does: the journal keeps what is done."""

from __future__ import annotations

import pytest

from tests.faults.fetching import MODES, NO_MAIL
from tests.faults.house import RULES, USER, House, messages

SECOND_FAILS = 'case "$*" in *Received*) cat >/dev/null; exit 75;; esac'


def journal(house: House) -> list[str]:
    folder = house.bed.home / ".local" / "state" / "rulesmith"
    return [path.name for path in folder.glob("*.journal")]


@pytest.mark.parametrize("mode", MODES)
def test_what_is_delivered_is_not_delivered_again(house: House, mode: str) -> None:
    plans = messages(3)
    house.send(plans)
    house.break_deliver(SECOND_FAILS)
    for _ in range(2):
        assert house.fetching.poll(mode).err.count(b"nonzero status 75") == 3
        result = house.balance(plans, house.fetching.waiting(mode))
        assert (result.wrong, result.waiting) == ([], 3)
        assert [len(house.mailboxes()[f"{name}/INBOX"]) for name in (USER, "alias@example.com")] == [2, 1]
        assert len(journal(house)) == 3
    house.heal()
    assert house.fetching.poll(mode).status == 0
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.done) == ([], 3)
    assert house.fetching.poll(mode).status == NO_MAIL
    assert journal(house) == []


def test_what_fetchmail_and_rspamd_change_between_two_fetches_does_not_matter(house: House) -> None:
    [message] = messages(1)
    house.break_deliver(SECOND_FAILS)
    first = b"Received: from a by b\n\twith IMAP; Mon, 2 Mar 2026 10:00:00 +0100\nX-Spam-Score: 1.5\n" + message
    assert house.hand(first).status == 75
    house.heal()
    head, body = message.split(b"\n\n", 1)
    second = (
        b"Received: from c by d; Tue, 3 Mar 2026 10:00:00 +0100\n"
        + head
        + b"\nX-Spam-Score: 2.5\nX-Spam: yes\n\n"
        + body
    )
    assert house.hand(second).status == 0
    assert [len(house.mailboxes()[f"{USER}/{name}"]) for name in ("INBOX", "Received")] == [1, 1]
    assert journal(house) == []


@pytest.mark.parametrize("what", ["body", "header"])
def test_another_message_with_the_same_message_id_is_another_message(house: House, what: str) -> None:
    [message] = messages(1)
    other = message.replace(b"This is", b"That is") if what == "body" else message.replace(b": number", b": Number")
    house.break_deliver(SECOND_FAILS)
    assert [house.hand(each).status for each in (message, other)] == [75, 75]
    assert len(journal(house)) == 2
    house.heal()
    assert [house.hand(each).status for each in (other, message)] == [0, 0]
    plan = (f"{USER}/INBOX", f"{USER}/Received")
    result = house.balance({message: plan, other: plan}, [])
    assert (result.wrong, result.done) == ([], 2)


def test_the_same_message_that_really_comes_twice_is_delivered_twice(house: House) -> None:
    [message] = messages(1)
    assert [house.hand(message).status for _ in range(2)] == [0, 0]
    assert len(house.mailboxes()[f"{USER}/INBOX"]) == 2


def test_without_a_journal_the_log_says_that_deliveries_may_be_repeated(house: House) -> None:
    [message] = messages(1)
    house.configure('set journal "/proc/nosuch"\n' + RULES)
    house.break_deliver(SECOND_FAILS)
    done = house.hand(message)
    assert done.status == 75
    assert b"a retry may repeat deliveries" in done.err


def test_a_damaged_journal_costs_a_repetition_and_no_mail(house: House) -> None:
    [message] = messages(1)
    house.break_deliver(SECOND_FAILS)
    assert house.hand(message).status == 75
    [name] = journal(house)
    file = house.bed.home / ".local" / "state" / "rulesmith" / name
    whole = file.read_bytes()
    house.heal()
    for at in range(0, len(whole), len(whole) // 12):
        house.local.clear()
        file.write_bytes(whole[:at])
        house.bed.own(house.bed.home)
        assert house.hand(message).status == 0
        counts = [len(house.mailboxes()[f"{USER}/{each}"]) for each in ("INBOX", "Received")]
        assert counts in ([1, 1], [0, 1]), at
        file.unlink(missing_ok=True)
