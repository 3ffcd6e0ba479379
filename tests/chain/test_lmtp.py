"""The `lmtp` action against the real Dovecot, by its unix socket and by TCP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.delivery import lmtp
from rulesmith.effects import Failure
from tests.chain.bed import Bed
from tests.chain.dovecot import Dovecot
from tests.chain.messages import EVERY, PLAIN, without_received
from tests.chain.reader import texts
from tests.chain.test_seed import configure
from tests.worlds import USER, a_world


def server(dovecot: Dovecot, way: str) -> tuple[bytes, bytes]:
    if way == "socket":
        return os.fsencode(dovecot.socket), b"24"
    return b"127.0.0.1", b"%d" % dovecot.lmtp


def as_delivered(found: bytes) -> bytes:
    """Dovecot puts Return-Path, Delivered-To and Received on top."""
    first, second, rest = found.split(b"\n", 2)
    assert first == b"Return-Path: <sender@example.org>"
    assert second.startswith(b"Delivered-To: user")
    return without_received(rest, 1)


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_a_message_arrives_octet_for_octet(dovecot: Dovecot, ca: Path, way: str) -> None:
    for message in EVERY.values():
        args = (*server(dovecot, way), b"sender@example.org", b"user@example.com")
        assert lmtp.deliver(args, message, USER, a_world()) == {}
    found = texts(dovecot.imaps, ca, "user@example.com")
    assert [as_delivered(each) for each in found] == list(EVERY.values())


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_a_detail_of_the_recipient_is_the_folder(dovecot: Dovecot, ca: Path, way: str) -> None:
    args = (*server(dovecot, way), b"sender@example.org", b"user+Received@example.com")
    lmtp.deliver(args, PLAIN, USER, a_world())
    assert [as_delivered(each) for each in texts(dovecot.imaps, ca, "user@example.com", "Received")] == [PLAIN]


@pytest.mark.parametrize("way", ["socket", "tcp"])
def test_an_unknown_recipient_is_a_failure_in_the_words_of_the_server(dovecot: Dovecot, way: str) -> None:
    args = (*server(dovecot, way), b"sender@example.org", b"nobody@example.com")
    with pytest.raises(Failure, match=r"^unexpected response: 550 5\.1\.1 <nobody@example\.com> "):
        lmtp.deliver(args, PLAIN, USER, a_world())


def test_the_door_delivers_by_lmtp(bed: Bed, dovecot: Dovecot, ca: Path) -> None:
    configure(
        bed,
        'account "stdin" stdin\nset no-received\n'
        'match all action lmtp server "/run/dovecot/lmtp" from "sender@example.org" to "user+Received@example.com"\n',
    )
    done = bed.run("sh", "-c", "fdm -f ~/fdm.conf -m fetch", stdin=PLAIN)
    assert done.status == 0, done
    assert [as_delivered(each) for each in texts(dovecot.imaps, ca, "user@example.com", "Received")] == [PLAIN]
