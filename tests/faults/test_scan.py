"""The scan inside, with the real rspamd and redis: down, killed in the middle, slow, and there again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.faults.fetching import DOOR, MODES, NO_MAIL
from tests.faults.house import QUEUE, RULES, USER, House, messages
from tests.faults.spam import Spam
from tests.scan.scripted import Answer, drips, ok, rspamd, says

# Time enough for the answer of a busy machine; who will never have one need not wait for so long.
SCAN = f'set scan "{Spam.url}"\nset scan-timeout 60 seconds\n'
IMPATIENT = SCAN.replace("60 seconds", "1 second")


@pytest.fixture(scope="module")
def _spam(_house: House) -> Spam:
    return Spam(_house.bed)


@pytest.fixture
def spam(_spam: Spam, house: House) -> Iterator[Spam]:
    house.configure(SCAN + RULES)
    yield _spam
    for name in ("redis", "rspamd"):
        _spam.signal(name, signal.SIGCONT)
        if not _spam.answers(name):
            _spam.start(name)


def scanned(house: House) -> int:
    """How many messages in the mailboxes bear rspamd's verdict; all the others must not be marked at all."""
    texts = [text for found in house.mailboxes().values() for text in found]
    return sum(b"\nX-Spam-Score: " in text for text in texts)


def recovers(house: House, plans: dict[bytes, tuple[str, ...]], mode: str) -> None:
    assert house.fetching.poll(mode).status == 0
    assert house.fetching.poll(mode).status == NO_MAIL
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.done) == ([], len(plans))
    assert scanned(house) == 2 * len(plans)


@pytest.mark.parametrize("fault", ["down", "silent"])
@pytest.mark.parametrize("mode", MODES)
def test_without_rspamd_mail_waits_and_nothing_is_taken_for_ham(
    house: House, spam: Spam, mode: str, fault: str
) -> None:
    plans = messages(2)
    house.send(plans)
    spam.signal("rspamd", signal.SIGKILL if fault == "down" else signal.SIGSTOP)
    house.configure(IMPATIENT + RULES)
    done = house.fetching.poll(mode)
    assert done.err.count(b"nonzero status 75") == 2, done
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.waiting) == ([], 2)
    assert not any(house.mailboxes().values())
    if fault == "down":
        spam.start("rspamd")
    else:
        spam.signal("rspamd", signal.SIGCONT)
    house.configure(SCAN + RULES)
    recovers(house, plans, mode)


def half(answer: bytes) -> Answer:
    return says(answer[: len(answer) // 2])


def error(_answer: bytes) -> Answer:
    return says(ok(b'{"error":"out of luck"}', status=b"500 Internal Server Error"))


def too_slow(answer: bytes) -> Answer:
    return drips(answer, 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", [half, error, too_slow])
def test_what_is_no_verdict_is_none_and_mail_waits_for_one(
    house: House, spam: Spam, mode: str, fault: Callable[[bytes], Answer]
) -> None:
    """Its answer breaks off in the middle, is an error, or comes octet by octet and far too slowly."""
    plans = messages(2)
    house.send(plans)
    with rspamd(fault(spam.reply(next(iter(plans))))) as broken:
        house.configure(f'set scan "{broken.url}"\nset scan-timeout 1 second\n' + RULES)
        done = house.fetching.poll(mode)
    assert done.err.count(b"nonzero status 75") == 2, done
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.waiting) == ([], 2)
    assert not any(house.mailboxes().values())
    house.configure(SCAN + RULES)
    recovers(house, plans, mode)


def test_an_answer_that_takes_its_time_is_waited_for(house: House, spam: Spam) -> None:
    plans = messages(1)
    [message] = plans
    with rspamd(drips(spam.reply(message), 0.001)) as slow:
        house.configure(SCAN.replace(spam.url, slow.url) + RULES)
        assert house.hand(message).status == 0
    assert house.balance(plans, []).wrong == []
    assert scanned(house) == 2


@pytest.mark.parametrize("mode", MODES)
def test_the_greylist_holds_up_no_mail(house: House, spam: Spam, mode: str) -> None:
    """rspamd has strangers come again; mail that was fetched cannot."""
    plans = {
        message.replace(b"\nSubject:", b"\nX-Test: points\nSubject:"): plan for message, plan in messages(2).items()
    }
    stranger = spam.reply(next(iter(plans)), {"IP": "198.51.100.7", "From": "alice@example.org"})
    assert b'"action":"soft reject"' in stranger
    house.send(plans)
    recovers(house, plans, mode)


def test_the_verdict_greylist_is_a_verdict(house: House, spam: Spam) -> None:
    asking = b"\nX-Test: greylist\nSubject:"
    plans = {message.replace(b"\nSubject:", asking): plan for message, plan in messages(1).items()}
    assert [house.hand(message).status for message in plans] == [0]
    assert house.balance(plans, []).wrong == []
    assert all(b"\nX-Spam-Action: greylist\n" in text for text in house.mailboxes()[f"{USER}/INBOX"])


def test_rspamd_dies_while_it_scans(house: House, spam: Spam) -> None:
    [message] = messages(1)
    # Stopped it takes the message and says nothing; killed then, it has died in the middle.
    spam.signal("rspamd", signal.SIGSTOP)
    name = house.bed.begin("sh", "-c", "/usr/bin/fdm -a stdin -f ~/fdm.conf -m fetch", stdin=message)
    spam.waits_for_a_verdict()
    spam.signal("rspamd", signal.SIGKILL)
    done = house.bed.wait(name)
    assert done.status == 75, done
    assert not any(house.mailboxes().values())
    spam.start("rspamd")
    assert house.hand(message).status == 0
    assert house.balance(messages(1), []).wrong == []


def test_without_redis_mail_is_scanned_all_the_same(house: House, spam: Spam) -> None:
    plans = messages(2)
    spam.signal("redis", signal.SIGKILL)
    assert [house.hand(message).status for message in plans] == [0, 0]
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 2)
    assert scanned(house) == 4


def test_a_queue_lets_fetchmail_go_and_scans_later(house: House, spam: Spam) -> None:
    plans = messages(3)
    house.send(plans)
    house.configure(QUEUE + SCAN + RULES)
    spam.signal("rspamd", signal.SIGKILL)
    assert b"nonzero" not in house.fetching.poll("imap no keep").err
    assert len(house.queued()) == 3
    assert house.queue("run", "--once").status in (0, 1)
    assert house.balance(plans, house.queued()).wrong == []
    spam.start("rspamd")
    house.queue("retry")
    assert house.queue("run", "--once").status == 0
    result = house.balance(plans, house.queued())
    assert (result.wrong, result.done) == ([], 3)
    assert scanned(house) == 6


def test_the_second_delivery_fails_and_the_message_is_scanned_again_without_a_duplicate(
    house: House, spam: Spam
) -> None:
    plans = messages(1)
    [message] = plans
    house.break_deliver('case "$*" in *Received*) cat >/dev/null; exit 75;; esac')
    assert house.hand(message).status == 75
    house.heal()
    assert house.hand(message).status == 0
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 1)
    assert len(house.mailboxes()[f"{USER}/INBOX"]) == 1


@pytest.mark.parametrize(("policy", "status"), [("deliver", 0), ("defer", 75)])
def test_the_policy_decides_and_what_is_delivered_unscanned_says_so(
    house: House, spam: Spam, policy: str, status: int
) -> None:
    plans = messages(1)
    [message] = plans
    house.configure(f"set scan-failure unreachable {policy}\n" + SCAN + RULES)
    spam.signal("rspamd", signal.SIGKILL)
    done = house.hand(message)
    assert done.status == status, done
    result = house.balance(plans, [message] * (status != 0))
    assert result.wrong == []
    texts = house.mailboxes()[f"{USER}/INBOX"]
    assert len(texts) == (status == 0)
    assert all(b"\nX-Spam-Status: unscanned" in text for text in texts)


@pytest.mark.parametrize("days", [-400, 400])
def test_a_first_try_with_a_wrong_clock_waits_for_no_scan_for_ever(house: House, spam: Spam, days: int) -> None:
    """The journal knows the first try; what it says of a clock that was set back counts from the next one."""
    plans = messages(1)
    [message] = plans
    spam.signal("rspamd", signal.SIGKILL)
    options = DOOR.removeprefix("/usr/bin/fdm ")
    assert house.hand(message, f"exec {house.clock(days)} {options}").status == 75
    if days > 0:
        assert house.hand(message).status == 75
        assert house.hand(message, f"exec {house.clock(1)} {options}").status == 0
    else:
        assert house.hand(message).status == 0
    stored = house.mailboxes()[f"{USER}/INBOX"]
    assert [b"\nX-Spam-Status: unscanned (unreachable: " in text for text in stored] == [True]
