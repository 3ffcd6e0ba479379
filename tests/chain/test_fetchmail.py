"""The real fetchmail polls one Dovecot and hands each message to the door, which fills another."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain.bed import Bed, Done
from chain.dovecot import PASSWORD, Dovecot
from chain.messages import EVERY, FOR_ALIAS, PLAIN, without_received
from chain.reader import mailbox, texts
from chain.test_seed import MDA, SEED, configure

NO_MAIL = 1  # fetchmail(1): "There was no mail awaiting retrieval"
USER = "user@example.com"


def fill(bed: Bed, provider: Dovecot, messages: list[bytes]) -> None:
    """Put messages where the provider's mail server would have put them."""
    folder = provider.mail / USER / "Maildir" / "new"
    folder.mkdir(parents=True, exist_ok=True)
    for number, message in enumerate(messages):
        (folder / f"{number}.a.provider").write_bytes(message)
    bed.own(provider.mail)


def poll(bed: Bed, provider: Dovecot, keep: str) -> Done:
    """One run of fetchmail with the seed's fetchmailrc, but for the port and the authority."""
    rc = bed.home / "fetchmailrc"
    rc.write_text(
        f"poll localhost protocol IMAP port {provider.imaps}\n"
        f"      user '{USER}' there with ssl with password '{PASSWORD}' folder 'INBOX' ssl {keep}"
        f" sslcertfile '/config/authority.pem'\n"
        f'      mda "{MDA}"\n'
    )
    rc.chmod(0o600)
    bed.own(bed.home)
    return bed.run("sh", "-c", "fetchmail -f ~/fetchmailrc --pidfile ~/fetchmail.pid --nodetach --nosyslog")


@pytest.fixture(autouse=True)
def _trust(bed: Bed, ca: Path) -> None:
    (bed.folder / "config" / "authority.pem").write_bytes(ca.read_bytes())
    bed.own(bed.folder / "config")


@pytest.mark.parametrize("keep", ["keep", "no keep"])
def test_what_the_provider_has_arrives_whole(
    bed: Bed, dovecot: Dovecot, provider: Dovecot, ca: Path, keep: str
) -> None:
    configure(bed, SEED)
    fill(bed, provider, list(EVERY.values()))
    done = poll(bed, provider, keep)
    assert done.status == 0, done
    expected = {"user": [each for each in EVERY.values() if each != FOR_ALIAS], "alias": [FOR_ALIAS]}
    for name, messages in expected.items():
        for folder in ("INBOX", "Received"):
            found = texts(dovecot.imaps, ca, f"{name}@example.com", folder)
            # fetchmail has put a Received field on top, and so has the door.
            assert sorted(without_received(each, 2) for each in found) == sorted(messages)
    left = mailbox(provider.imaps, ca, USER)
    if keep == "keep":
        assert [text for _, text in left] == list(EVERY.values())
        assert all(b"\\Seen" in flags for flags, _ in left)
    else:
        assert left == []
    assert poll(bed, provider, keep).status == NO_MAIL


@pytest.mark.parametrize("keep", ["keep", "no keep"])
def test_a_message_that_cannot_be_delivered_stays_at_the_provider_until_it_can(
    bed: Bed, dovecot: Dovecot, provider: Dovecot, ca: Path, keep: str
) -> None:
    configure(bed, SEED.replace("-d user@", "-d nobody@"))
    fill(bed, provider, [PLAIN])
    done = poll(bed, provider, keep)
    assert b"MDA returned nonzero status" in done.err, done
    [(flags, text)] = mailbox(provider.imaps, ca, USER)
    assert text == PLAIN
    assert b"\\Seen" not in flags

    configure(bed, SEED)
    assert poll(bed, provider, keep).status == 0
    found = texts(dovecot.imaps, ca, USER)
    assert [without_received(each, 2) for each in found] == [PLAIN]
