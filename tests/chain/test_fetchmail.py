"""The real fetchmail polls one Dovecot and hands each message to the door, which fills another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain import fetching
from tests.chain.bed import Bed, Done
from tests.chain.dovecot import Dovecot
from tests.chain.fetching import NO_MAIL, USER, check_left, fill, trust
from tests.chain.messages import EVERY, FOR_ALIAS, PLAIN, without_received
from tests.chain.reader import mailbox, texts
from tests.chain.test_seed import MDA, SEED, configure


def poll(bed: Bed, provider: Dovecot, keep: str) -> Done:
    """One run of fetchmail with the seed's `mda`."""
    return fetching.poll(bed, provider, keep, f'mda "{MDA}"')


@pytest.fixture(autouse=True)
def _trust(bed: Bed, ca: Path) -> None:
    trust(bed, ca)


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
    check_left(provider, ca, keep, list(EVERY.values()))
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
