"""Full disks, at each write: a user's home, a maildir, mbox and file of our own, the queue, the journal; and what may
not be written at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import DOOR, HOME, QUEUE, RULES, USER, House, messages
from tests.faults.ledger import Balance, balance, original
from tests.faults.test_partial import SECOND_FAILS

PAGE = 4096
ONE = 'account "stdin" disabled stdin\nset maximum-size 1M\n'


def refused(house: House, plans: dict[bytes, tuple[str, ...]], warned: set[bytes] | None = None) -> list[bytes]:
    """Hand over every message; those that were not taken. Of some the log says that deliveries may be repeated."""
    kept = []
    for message in plans:
        done = house.hand(message)
        assert done.status in (0, 75), done
        assert b"Traceback" not in done.err
        if done.status:
            kept.append(message)
        if warned is not None and b"a retry may repeat deliveries" in done.err:
            warned.add(message)
    return kept


@pytest.fixture
def small_home(house: House) -> Iterator[House]:
    """The user's mailbox lies on a small disk."""
    house.empty("home")
    # A link without a root, so that it means the same seen from outside.
    (house.local.mail / USER).symlink_to("../../small/home")
    yield house
    (house.local.mail / USER).unlink()


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 5, 8, 13, 30])
def test_a_full_mailbox_keeps_the_mail_with_the_caller(small_home: House, pages: int) -> None:
    house = small_home
    plans = messages(2, size=9000)
    # The indexes are there before the disk is full, as in life.
    first = messages(1)
    assert refused(house, first) == []
    house.fill("home", pages * PAGE)
    kept = refused(house, plans)
    assert house.balance(plans | first, kept).wrong == []
    if not pages:
        assert kept == list(plans)
    house.bed.run("rm", "/small/home/ballast")
    assert refused(house, dict.fromkeys(kept, ())) == []
    result = house.balance(plans | first, [])
    assert (result.wrong, result.done) == ([], 3)


def stored(house: House, kind: str) -> list[bytes]:
    folder = house.inside("small/mail")
    if kind == "maildir":
        return [path.read_bytes() for path in (folder / "box" / "new").glob("*")]
    text = (folder / "box").read_bytes() if (folder / "box").exists() else b""
    assert text.endswith(b"\n") or not text
    starts = b"From alice@" if kind == "mbox" else b"Received: by "
    ends = 2 if kind == "mbox" else 0
    parts = [starts + each for each in text.split(b"\n" + starts)] if text else []
    found = []
    for number, part in enumerate(parts):
        each = part.removeprefix(starts) if not number else part
        if kind == "mbox":
            each = each.split(b"\n", 1)[1]
        last = number == len(parts) - 1
        found.append(each + b"\n" * (not last) if not ends else (each + b"\n" * (not last)).removesuffix(b"\n" * ends))
    return found


@pytest.mark.parametrize("kind", ["maildir", "mbox", "append"])
def test_our_own_stores_hold_whole_messages_only(house: House, kind: str) -> None:
    plan = ("box",)
    plans = dict.fromkeys(messages(9, size=9000), plan)
    house.empty("mail")
    house.configure(ONE + f'match all action {kind} "/small/mail/box"\n')
    first, *rest = plans
    assert house.hand(first).status == 0
    kept = []
    for pages, message in enumerate(rest):
        house.fill("mail", pages * PAGE)
        done = house.hand(message)
        assert done.status in (0, 75), done
        kept += [message] if done.status else []
        result = balance(dict.fromkeys((first, *rest[: pages + 1]), plan), kept, {"box": stored(house, kind)})
        assert result.wrong == []
    assert 0 < len(kept) < len(rest)
    house.bed.run("rm", "/small/mail/ballast")
    assert [house.hand(message).status for message in kept] == [0] * len(kept)
    result = balance(plans, [], {"box": stored(house, kind)})
    assert (result.wrong, result.done) == ([], len(plans))


def with_queue(house: House, plans: dict[bytes, tuple[str, ...]], kept: list[bytes]) -> Balance:
    return house.balance(plans, [*kept, *house.queued(house.inside("small/queue/queue"))])


@pytest.mark.parametrize("pages", range(5))
@pytest.mark.parametrize("works", [True, False], ids=["deliver works", "deliver fails"])
def test_a_full_queue_is_no_loss(house: House, pages: int, works: bool) -> None:
    plans = messages(2, size=9000)
    house.empty("queue")
    house.configure('set queue "/small/queue/queue"\n' + RULES)
    assert house.hand(next(iter(messages(1)))).status == 0
    house.local.clear()
    if not works:
        house.break_deliver(SECOND_FAILS)
    house.fill("queue", pages * PAGE)
    warned: set[bytes] = set()
    kept = refused(house, plans, warned)
    assert with_queue(house, plans, kept).wrong == []
    if works:
        assert kept == []
    house.heal()
    house.bed.run("rm", "/small/queue/ballast")
    kept = refused(house, dict.fromkeys(kept, ()))
    command = f"{house.rulesmith} queue retry --queue /small/queue/queue; {house.rulesmith} queue run --once"
    house.bed.run("sh", "-c", command + " --queue /small/queue/queue")
    result = with_queue(house, plans, kept)
    # Where the message has found room in the queue and the note of its first delivery has not.
    assert len(result.duplicated) <= len(warned) < 2
    assert (result.lost, result.altered, result.astray, result.done) == ([], [], [], 2)


@pytest.mark.parametrize("pages", range(3))
def test_a_full_disk_under_the_journal_costs_a_repetition_at_most(house: House, pages: int) -> None:
    plans = messages(2)
    house.empty("state")
    house.configure('set journal "/small/state/journal"\n' + RULES)
    house.break_deliver(SECOND_FAILS)
    house.fill("state", pages * PAGE)
    said = [house.hand(message) for message in plans]
    assert [done.status for done in said] == [75, 75]
    written = len(list((house.inside("small/state/journal")).glob("*.journal")))
    for done in said:
        assert (b"may repeat deliveries" in done.err) == (pages == 0) or 0 < written < 2
    house.heal()
    assert refused(house, plans) == []
    copies = [original(text) for text in house.mailboxes()[f"{USER}/INBOX"]]
    for message in plans:
        assert copies.count(message) == 1 or (copies.count(message) == 2 and pages < 2)


def test_a_full_disk_under_the_compiled_program_does_not_matter(house: House) -> None:
    house.empty("state")
    house.fill("state", 0)
    plans = messages(2)
    for message in plans:
        assert house.hand(message, env={"XDG_CACHE_HOME": "/small/state"}).status == 0
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 2)


@pytest.mark.parametrize("kind", ["maildir", "pipe"])
def test_a_full_temporary_folder_holds_up_what_needs_it(house: House, kind: str) -> None:
    """A large message that arrives can be in memory instead; the input of a command cannot."""
    house.empty("state")
    house.fill("state", 0)
    action = f'maildir "{HOME}/box"' if kind == "maildir" else f'pipe "/config/deliver -d {USER}"'
    house.configure(f'account "stdin" disabled stdin\nmatch all action {action}\n')
    door = f"TMPDIR=/small/state; export TMPDIR; {DOOR}"
    small, large = (next(iter(messages(1, size))) for size in (100, 6 << 20))
    plans = {small: (f"{USER}/INBOX",), large: (f"{USER}/INBOX",)}
    done = {message: house.hand(message, door) for message in plans}
    kept = [message for message in plans if done[message].status]
    assert kept == ([large] if kind == "pipe" else [])

    def found() -> dict[str, list[bytes]]:
        box = [path.read_bytes() for path in (house.bed.home / "box" / "new").glob("*")]
        return {f"{USER}/INBOX": box if kind == "maildir" else house.mailboxes()[f"{USER}/INBOX"]}

    assert balance(plans, kept, found()).wrong == []
    assert [house.hand(message).status for message in kept] == [0] * len(kept)
    assert balance(plans, [], found()).wrong == []


@pytest.mark.parametrize("pages", [0, 1, 2])
@pytest.mark.parametrize("first", [True, False], ids=["new", "there"])
def test_a_full_disk_under_a_cache_loses_and_repeats_nothing(house: House, pages: int, first: bool) -> None:
    house.empty("state")
    keys = '"/small/state/keys" key "%[message_id]"'
    remember = f'cache "/small/state/keys"\naction "remember" add-to-cache {keys}\n'
    rules = RULES.replace("action {", 'action { "remember"').replace(
        "match", f"match in-cache {keys} action drop\nmatch", 1
    )
    house.configure(remember + rules)
    plans = messages(5)
    if not first:
        assert house.hand(next(iter(plans))).status == 0
    house.fill("state", pages * PAGE)
    kept = refused(house, plans)
    if first and not pages:
        assert kept == list(plans)
    assert house.balance(plans, kept).wrong == []
    house.bed.run("rm", "/small/state/ballast")
    # Everything once more: whoever has its key is not delivered again.
    for _ in range(2):
        assert refused(house, plans) == []
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 5)


@pytest.mark.parametrize("folder", ["", "tmp", "new", ".Received", ".Received/tmp"])
def test_a_mailbox_that_may_not_be_written_keeps_the_mail(house: House, folder: str) -> None:
    first, plans = messages(1), dict(list(messages(4).items())[2:])
    assert refused(house, first) == []
    top = house.local.mail / USER / "Maildir" / folder
    mode = top.stat().st_mode
    top.chmod(0o500)
    kept = refused(house, plans)
    top.chmod(mode)
    assert house.balance(plans | first, kept).wrong == []
    assert refused(house, dict.fromkeys(kept, ())) == []
    result = house.balance(plans | first, [])
    assert (result.wrong, result.done) == ([], 3)


def test_a_mailbox_over_its_quota_keeps_the_mail(house: House) -> None:
    plans = {message: plan for message, plan in messages(2).items() if plan[0].startswith(USER)}
    house.break_deliver(f'exec /usr/libexec/dovecot/deliver {house.small_quota} "$@"')
    kept = refused(house, plans)
    assert kept == list(plans)
    assert house.balance(plans, kept).wrong == []
    house.heal()
    assert refused(house, plans) == []
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], 2)


def test_the_queue_is_of_use_when_the_mailbox_is_full(small_home: House) -> None:
    house = small_home
    plans = messages(3, size=9000)
    house.configure(QUEUE + RULES)
    assert house.hand(next(iter(messages(1)))).status == 0
    house.fill("home", 0)
    assert refused(house, plans) == []
    house.bed.run("rm", "/small/home/ballast")
    house.queue("retry")
    assert house.queue("run", "--once").status == 0
    result = house.balance(plans | messages(1), house.queued())
    assert (result.wrong, result.done) == ([], 4)
