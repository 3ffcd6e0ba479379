"""Mail on its way: from a provider by IMAP and POP3, through scan and rules, into the folders of its readers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.container.pop3 import Mailbox
from tests.image.fetching import DELIVER, GTUBE, PASSWORD, SCAN, SORT, letter, near, rc, subjects
from tests.image.house import CAREFUL, PATIENCE, Container, until
from tests.image.ways import LMTP, SAYS, by_mda, goes

DELIVERED, SCANNED, SORTED, TWO, BAD = "delivered@x.org", "scanned@x.org", "sorted@x.org", "two@x.org", "bad@x.org"
ALIAS, SECOND = "alias@example.com", "second@x.org"
SPAM = 'action "junk" pipe "/usr/libexec/dovecot/deliver -d sorted@x.org -m Junk"\n'
SPAM += 'match "^X-Spam: yes" in headers action "junk"\n'
# The seed's own.
RULES = """\
account "stdin" disabled stdin
{spam}
action "alias@example.com" pipe "/usr/libexec/dovecot/deliver -d alias@example.com"
action "alias@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d alias@example.com -m Received"
action "user@example.com" pipe "/usr/libexec/dovecot/deliver -d sorted@x.org"
action "user@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d sorted@x.org -m Received"
match "^Delivered-To: alias@example.com" in headers action {{ "alias@example.com" "alias@example.com:Received" }}
match all action {{ "user@example.com" "user@example.com:Received" }}
"""


@pytest.fixture(scope="module")
def provider(containers: Callable[[], Container], way: str) -> Container:
    """Another one for each way: its messages are to be fetched."""
    del way
    made = containers()
    for user in (DELIVERED, SCANNED, SORTED, TWO, SECOND):
        made.user(user, passwd="{PLAIN}" + PASSWORD)
    made.create()
    until(lambda: made.has_user(SECOND), "the provider's users")
    return made


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container], provider: Container, way: str) -> Container:
    made = containers()
    made.user(ALIAS, passwd="{PLAIN}" + PASSWORD)
    for user, mda in ((DELIVERED, DELIVER), (SCANNED, SCAN)):
        made.user(user, passwd="{PLAIN}" + PASSWORD, rc=rc(provider, user, mda))
    made.user(SORTED, passwd="{PLAIN}" + PASSWORD, rc=rc(provider, SORTED, SORT), conf=RULES.format(spam=SPAM))
    two = (
        rc(provider, TWO, DELIVER)
        + rc(provider, SECOND, DELIVER.format(user=TWO))
        + rc(provider, TWO, DELIVER, folder="Lists")
    )
    made.user(TWO, passwd="{PLAIN}" + PASSWORD, rc=two)
    made.user(BAD, passwd="", rc="pol x\n", conf="match all action nowhere\n")
    made.create(*CAREFUL, environment=goes(made, way))
    return made


def idles(house: Container, user: str) -> bool:
    """Whether his fetchmail waits in its folder."""
    return house.exec("sh", "-c", f"rulesmith health | grep -F '{user} ' | grep -q ', idle'").status == 0


def arrives(house: Container, user: str, subject: str, folder: str = "INBOX") -> None:
    until(lambda: subject in subjects(house, user, folder), f"{subject} in {folder} of {user}")


@pytest.mark.parametrize("user", [DELIVERED, SCANNED, SORTED])
def test_mail_comes_at_once_by_each_way_of_the_seed(house: Container, provider: Container, user: str) -> None:
    until(lambda: idles(house, user), "fetchmail waits")
    provider.deliver(user, letter("at once"))
    # The next poll would come after ten minutes: this is IDLE.
    arrives(house, user, "at once")
    [message] = [text for text in house.mailbox(user, PASSWORD) if b"Subject: at once" in text]
    assert message.endswith(b"\n\nHello.\n")
    assert (b"X-Spam-Score: " in message) == (user != DELIVERED)


def test_the_log_says_who_is_delivered_to_in_which_way(house: Container, way: str) -> None:
    house.saw(f"{SORTED}: fetchmail ")
    said = [line.partition("keeper: ")[2] for line in house.logs().splitlines() if " is delivered by " in line]
    ways = {line.partition(":")[0]: line.partition(" is delivered by ")[2] for line in said}
    if way != LMTP:
        assert ways == {}
        return
    assert ways.pop(SORTED) == "LMTP"
    assert ways.keys() == {DELIVERED, SCANNED, TWO}
    assert set(ways.values()) == {"`mda`, as its mda is no fdm with the user's rules"}
    assert house.sh("ls /run/recipients").split() == [f"fetch:{SORTED}:0"]
    # His own file is as he has written it.
    assert "lmtp" not in (house.config / "users" / SORTED / "fetchmailrc").read_text()
    assert "lmtp" not in house.sh(f"cat /run/fetchmail/{SORTED}/fetchmailrc", user="vmail")


def test_a_program_is_started_for_a_message_only_by_mda(house: Container, provider: Container, way: str) -> None:
    provider.deliver(SORTED, letter("by whom", more="Message-ID: <who@example.org>\n"))
    assert house.saw("<who@example.org>").split(" ")[1] == SAYS[way]
    [message] = [text for text in house.mailbox(SORTED, PASSWORD) if b"Subject: by whom" in text]
    assert (b" with LMTP\n" in message) == (way == LMTP)
    # Scanned once, and stored where `deliver -m` stores it.
    assert message.count(b"\nX-Spam-Score: ") == 1
    arrives(house, SORTED, "by whom", "Received")


def test_rules_sort_into_mailboxes_and_folders(house: Container, provider: Container) -> None:
    provider.deliver(SORTED, letter("to an alias", more="Delivered-To: alias@example.com\n"))
    provider.deliver(SORTED, letter("to the user"))
    for folder in ("INBOX", "Received"):
        arrives(house, ALIAS, "to an alias", folder)
        arrives(house, SORTED, "to the user", folder)
        assert "to the user" not in subjects(house, ALIAS, folder)
        assert "to an alias" not in subjects(house, SORTED, folder)


def test_spam_is_put_into_junk_by_a_rule(house: Container, provider: Container) -> None:
    provider.deliver(SORTED, letter("buy", GTUBE))
    arrives(house, SORTED, "buy", "Junk")
    assert "buy" not in subjects(house, SORTED)


@pytest.mark.where.with_args(by_mda)
def test_several_folders_are_waited_in_at_a_time(house: Container, provider: Container) -> None:
    services = house.sh("ls /run/s6-fetch").split()
    assert [name for name in services if TWO in name] == [f"fetch:{TWO}:{number}" for number in range(3)]
    provider.deliver(TWO, letter("first account"))
    provider.deliver(SECOND, letter("second account"))
    provider.deliver(TWO, letter("second folder"), "-m", "Lists")
    for subject in ("first account", "second account", "second folder"):
        arrives(house, TWO, subject)


def test_a_bad_configuration_is_named_and_hurts_nobody(house: Container) -> None:
    for words in ("passwd: it is empty", "fetchmailrc: refused", "fdm.conf: refused"):
        house.saw(f"{BAD}: {words}")
    assert house.exec("doveadm", "user", "--", BAD, user="vmail").status
    assert f"fetch:{BAD}:" not in house.sh("ls /run/s6-fetch")
    assert idles(house, SORTED)


def test_nothing_of_a_users_runs_as_root_or_with_his_secrets(house: Container) -> None:
    each = "grep -qx fetchmail $each/comm 2>/dev/null && grep ^Uid $each/status"
    uids = house.sh(f"for each in /proc/[0-9]*; do {each}; done; true")
    assert uids
    assert {line.split()[1] for line in uids.splitlines()} == {"5000"}
    assert PASSWORD not in house.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true")
    assert PASSWORD not in house.logs()
    home = house.sh(f"ls -la /run/fetchmail/{SORTED}", user="vmail")
    assert {line.split()[0] for line in home.splitlines() if line.endswith(("fdm.conf", "fetchmailrc"))} == {
        "-rw-------"
    }


@pytest.mark.where.with_args(by_mda)
def test_what_was_fetched_by_pop3_is_not_fetched_again_after_re_creation(
    containers: Callable[[], Container], provider: Container
) -> None:
    made = containers()
    made.user("user", passwd="{PLAIN}" + PASSWORD)
    made.create(*CAREFUL, environment={"RULESMITH_FETCH_INTERVAL": "2"})
    with Mailbox(letter("by POP3").replace(b"\n", b"\r\n"), host=near(made)) as mailbox:
        host = near(made)
        made.user(
            "user",
            rc=f"poll {host} proto pop3 port {mailbox.port} uidl user a pass b keep sslproto '' "
            f'mda "/usr/libexec/dovecot/deliver -d user"\n',
        )
        arrives(made, "user", "by POP3")
        assert made.stop()[0] == "exited 0"
        made.remove()
        fetched = mailbox.fetched
        mailbox.asked.clear()
        made.create(*CAREFUL, environment={"RULESMITH_FETCH_INTERVAL": "2"})
        assert mailbox.asked.wait(PATIENCE)
        mailbox.asked.clear()
        assert mailbox.asked.wait(PATIENCE)
    assert mailbox.fetched == fetched == 1
    assert subjects(made, "user") == ["by POP3"]
