"""fetchmail hands each message to the resident door by LMTP, which fills the real Dovecot: by `deliver`, or by LMTP."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chain import fetching
from tests.chain.bed import DOOR, Bed, Done
from tests.chain.by_lmtp import FOLDERS, came_by_lmtp, stored, without_dovecots
from tests.chain.dovecot import Dovecot
from tests.chain.fetching import NO_MAIL, USER, check_left, fill, trust
from tests.chain.messages import EVERY, FOR_ALIAS, PLAIN, without_received
from tests.chain.reader import mailbox, texts
from tests.chain.test_seed import SEED, configure

WAYS = ("deliver", "LMTP")


@pytest.fixture(autouse=True)
def _trust(bed: Bed, ca: Path) -> None:
    trust(bed, ca)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, bed: Bed, dovecot: Dovecot) -> Iterator[str]:
    """A server inside the bed, for the test; how it reaches Dovecot."""
    name = serve(bed, request.param)
    yield request.param
    bed.signal(name, signal.SIGTERM)
    assert bed.wait(name).status == 0


def serve(bed: Bed, way: str, *options: str) -> int:
    """Start the server; its name in the bed."""
    argv = [str(Path(DOOR).with_name("rulesmith")), "serve", "--lmtp", "/run/serve", "--users", "/config/users"]
    if way == "LMTP":
        argv += ["--dovecot", "/run/dovecot/lmtp"]
    argv += options
    # The bed's own agent speaks on standard output.
    return bed.start(["sh", "-c", 'exec "$@" >&2', "sh", *argv], until="serving")


def poll(bed: Bed, provider: Dovecot, keep: str, more: str = "", name: str = USER) -> Done:
    """One run of fetchmail with an rc in which `mda` has become a socket."""
    return fetching.poll(bed, provider, keep, f"smtphost '/run/serve' lmtp smtpname '{name}'", more)


def as_sent(found: bytes, way: str) -> bytes:
    """A stored message without what Dovecot (by LMTP only), rulesmith and fetchmail have put on top."""
    assert came_by_lmtp(found) == (way == "LMTP"), found
    first, _, rest = without_received(without_dovecots(found), 2).partition(b"\n")
    assert first.startswith(b"Return-Path: <"), found
    return rest


def without_sender(sent: bytes) -> bytes:
    """fetchmail takes Return-Path out, and the server puts it on top."""
    return b"".join(line for line in sent.splitlines(keepends=True) if not line.startswith(b"Return-Path: "))


@pytest.mark.parametrize("keep", ["keep", "no keep"])
def test_what_the_provider_has_arrives_whole(
    bed: Bed, dovecot: Dovecot, provider: Dovecot, ca: Path, way: str, keep: str
) -> None:
    configure(bed, SEED)
    fill(bed, provider, list(EVERY.values()))
    done = poll(bed, provider, keep)
    assert done.status == 0, done
    expected = {"user": [each for each in EVERY.values() if each != FOR_ALIAS], "alias": [FOR_ALIAS]}
    for name, messages in expected.items():
        for folder in ("INBOX", "Received"):
            found = texts(dovecot.imaps, ca, f"{name}@example.com", folder)
            assert sorted(as_sent(each, way) for each in found) == sorted(map(without_sender, messages))
    check_left(provider, ca, keep, list(EVERY.values()))
    assert poll(bed, provider, keep).status == NO_MAIL


def seen(provider: Dovecot, ca: Path) -> list[tuple[bool, bytes]]:
    return [(b"\\Seen" in flags, text) for flags, text in mailbox(provider.imaps, ca, USER)]


@pytest.mark.parametrize("keep", ["keep", "no keep"])
@pytest.mark.parametrize("bounce", ["", "set no softbounce\n", "set no bouncemail\n"])
def test_what_cannot_be_delivered_stays_at_the_provider_until_it_can(
    bed: Bed, dovecot: Dovecot, provider: Dovecot, ca: Path, way: str, keep: str, bounce: str
) -> None:
    fill(bed, provider, [PLAIN])
    # A mailbox that is not there, a configuration with an error, a user whom nobody knows.
    configure(bed, SEED.replace("-d user@", "-d nobody@"))
    poll(bed, provider, keep, bounce)
    assert seen(provider, ca) == [(False, PLAIN)]
    configure(bed, SEED)
    poll(bed, provider, keep, bounce, name="nobody@example.com")
    assert seen(provider, ca) == [(False, PLAIN)]
    assert poll(bed, provider, keep, bounce).status == 0
    found = texts(dovecot.imaps, ca, USER)
    assert [as_sent(each, way) for each in found] == [without_sender(PLAIN)]


@pytest.mark.parametrize(("options", "by_lmtp"), [((), True), (("--dovecot", ""), False)])
def test_a_configuration_may_ask_for_lmtp_where_the_server_has_not_been_told(
    bed: Bed, dovecot: Dovecot, provider: Dovecot, ca: Path, options: tuple[str, ...], by_lmtp: bool
) -> None:
    configure(bed, 'set dovecot "/run/dovecot/lmtp"\nset dovecot-folders\n' + SEED)
    fill(bed, provider, list(EVERY.values()))
    name = serve(bed, "deliver", *options)
    assert poll(bed, provider, "no keep").status == 0
    bed.signal(name, signal.SIGTERM)
    bed.wait(name)
    found = [each for folder in ("INBOX", "Received") for each in texts(dovecot.imaps, ca, USER, folder)]
    assert [came_by_lmtp(each) for each in found] == [by_lmtp] * 6


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_the_same_by_both_ways(bed: Bed, dovecot: Dovecot, folder: str, ca: Path) -> None:
    command = f"/usr/libexec/dovecot/deliver -d {USER} -m {folder}"
    quoted = command.replace('"', '\\"')
    configure(bed, f'set no-received\naccount "stdin" disabled stdin\nmatch all action pipe "{quoted}"\n')
    done = bed.run("sh", "-c", command, stdin=PLAIN)
    assert done.status == 0, done
    by_command = stored(dovecot)
    name = serve(bed, "LMTP")
    script = f"import smtplib; smtplib.LMTP('/run/serve').sendmail('', ['{USER}'], open(0, 'rb').read())"
    done = bed.run(str(Path(DOOR).with_name("python")), "-c", script, stdin=PLAIN.replace(b"\n", b"\r\n"))
    bed.signal(name, signal.SIGTERM)
    bed.wait(name)
    assert done.status == 0, done
    [(place, [text])] = by_command.items()
    more = stored(dovecot)[place]
    assert len(more) == 2, stored(dovecot)
    assert text in more
    more.remove(text)
    assert without_dovecots(more[0]) == b"Return-Path: <>\n" + PLAIN
