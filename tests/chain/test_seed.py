"""The seed's own two-mailbox configuration, unchanged, through the real deliver into the real Dovecot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain.bed import Bed
from tests.chain.dovecot import Dovecot
from tests.chain.messages import EVERY, FOR_ALIAS, PLAIN, without_received
from tests.chain.reader import texts

SEED = Path(__file__).with_name("seed.conf").read_text()
# What the seed's README tells its users to put into fetchmailrc.
MDA = "rspamc --mime | /usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"
# EX_TEMPFAIL; the real fdm, where it is tried in rulesmith's place, knows only 1.
LATER = (75, 1)


def configure(bed: Bed, text: str) -> None:
    file = bed.home / "fdm.conf"
    file.write_text(text)
    file.chmod(0o600)
    bed.own(bed.home)


@pytest.mark.parametrize("name", EVERY)
def test_a_message_reaches_inbox_and_received_of_the_mailbox_the_rules_name(
    bed: Bed, dovecot: Dovecot, ca: Path, name: str
) -> None:
    configure(bed, SEED)
    message = EVERY[name]
    done = bed.run("sh", "-c", MDA, stdin=message)
    assert (done.status, done.out) == (0, b""), done
    mine, other = ("alias", "user") if message == FOR_ALIAS else ("user", "alias")
    for folder in ("INBOX", "Received"):
        found = texts(dovecot.imaps, ca, f"{mine}@example.com", folder)
        assert [without_received(each, 1) for each in found] == [message]
        assert texts(dovecot.imaps, ca, f"{other}@example.com", folder) == []


def test_a_missing_last_line_feed_is_added_and_a_separator_line_removed(bed: Bed, dovecot: Dovecot, ca: Path) -> None:
    configure(bed, SEED)
    done = bed.run("sh", "-c", MDA, stdin=b"From alice@example.org Mon Mar  2 10:00:00 2026\n" + PLAIN[:-1])
    assert done.status == 0, done
    found = texts(dovecot.imaps, ca, "user@example.com")
    assert [without_received(each, 1) for each in found] == [PLAIN]


def test_a_mailbox_that_does_not_exist_is_later_and_nobody_gets_the_message(
    bed: Bed, dovecot: Dovecot, ca: Path
) -> None:
    configure(bed, SEED.replace("-d user@", "-d nobody@"))
    done = bed.run("sh", "-c", MDA, stdin=PLAIN)
    assert done.status in LATER, done
    for user in ("user@example.com", "alias@example.com"):
        assert texts(dovecot.imaps, ca, user) == []


def test_messages_in_a_row_are_all_there_in_their_order(bed: Bed, dovecot: Dovecot, ca: Path) -> None:
    configure(bed, SEED)
    sent = [PLAIN.replace(b"Lunch", b"Lunch %d" % number) for number in range(5)]
    for message in sent:
        assert bed.run("sh", "-c", MDA, stdin=message).status == 0
    found = texts(dovecot.imaps, ca, "user@example.com", "Received")
    assert [without_received(each, 1) for each in found] == sent
