"""`set dovecot`: fdm fills the real Dovecot by LMTP wherever `deliver` would do the same."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chain.bed import Bed, Done
from tests.chain.by_lmtp import FOLDERS, came_by_lmtp, stored, without_dovecots
from tests.chain.dovecot import Dovecot
from tests.chain.fetching import USER
from tests.chain.messages import EVERY, FOR_ALIAS, PLAIN, without_received
from tests.chain.reader import texts
from tests.chain.test_seed import SEED, configure
from tests.scripted import CLOSE, SILENCE, server
from tests.serve.service import until

D = "/usr/libexec/dovecot/deliver"
SOCKET = 'set dovecot "/run/dovecot/lmtp"\n'
ON = SOCKET + "set dovecot-folders\n"
ONE = 'set no-received\naccount "stdin" disabled stdin\nmatch all action pipe "{}"\n'


def fetch(bed: Bed, message: bytes, site: str = "") -> Done:
    """fdm for one message; `site` is the file of settings for everybody."""
    file = bed.folder / "config" / "site.conf"
    file.write_text(site)
    bed.own(bed.folder / "config")
    argv = ("sh", "-c", "/usr/bin/fdm -a stdin -f ~/fdm.conf -m fetch")
    return bed.run(*argv, stdin=message, env={"RULESMITH_CONF": "/config/site.conf"})


@pytest.mark.parametrize(("own", "site"), [(ON, ""), ("", ON), ("", ON + f'set queue "/config/users/{USER}/queue"\n')])
@pytest.mark.parametrize("name", EVERY)
def test_both_deliveries_arrive_and_nothing_is_altered(
    bed: Bed, dovecot: Dovecot, ca: Path, name: str, own: str, site: str
) -> None:
    configure(bed, own + SEED)
    done = fetch(bed, EVERY[name], site)
    assert (done.status, done.err) == (0, b""), done
    mine, other = ("alias", "user") if EVERY[name] == FOR_ALIAS else ("user", "alias")
    both = []
    for folder in ("INBOX", "Received"):
        (found,) = texts(dovecot.imaps, ca, f"{mine}@example.com", folder)
        assert came_by_lmtp(found), found
        assert without_received(without_dovecots(found), 1) == EVERY[name]
        assert texts(dovecot.imaps, ca, f"{other}@example.com", folder) == []
        both.append(found)
    # Dovecot's own fields too are the same, with the name of the transaction in them: it was one.
    assert both[0] == both[1]


def test_without_the_setting_no_message_takes_this_way(bed: Bed, dovecot: Dovecot) -> None:
    configure(bed, SEED)
    assert fetch(bed, PLAIN).status == 0
    found = [each for messages in stored(dovecot).values() for each in messages]
    assert [came_by_lmtp(each) for each in found] == [False, False]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_the_same_by_both_ways(bed: Bed, dovecot: Dovecot, folder: str) -> None:
    command = f"{D} -d {USER} -m {folder}"
    rules = ONE.format(command.replace('"', '\\"'))
    places = []
    for settings in ("", ON):
        configure(bed, settings + rules)
        assert fetch(bed, PLAIN).status == 0
        ((place, messages),) = stored(dovecot).items()
        places.append(place)
    assert places[0] == places[1]
    assert [without_dovecots(each) for each in messages] == [PLAIN, PLAIN]


# What docs/serve.md leaves to the command; a last line without an end gets one on standard input already.
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (f"{D} -d {USER} -e", PLAIN),
        (f"cat | {D} -d {USER}", PLAIN),
        (f"{D} -d {USER} || false", PLAIN),
        (f"/usr/libexec/dovecot/../dovecot/deliver -d {USER}", PLAIN),
        (f"{D} -d User@example.com", PLAIN),
        (f"{D} -d {USER} -m 'a b'", PLAIN),
        (f"{D} -d {USER}", PLAIN + b"a CR\ralone\n"),
        (f"{D} -d {USER}", PLAIN.replace(b"\n", b"\r\n")),
        (f"{D} -d {USER}", PLAIN + b"a NUL\0\n"),
        (f"{D} -d {USER}", b"\n" + PLAIN),
    ],
)
def test_what_lmtp_would_do_otherwise_is_left_to_the_command(
    bed: Bed, dovecot: Dovecot, command: str, message: bytes
) -> None:
    found = []
    for settings in ("", ON):
        configure(bed, settings + ONE.format(command))
        assert fetch(bed, message).status == 0
        ((_, messages),) = stored(dovecot).items()
        found += messages
        dovecot.clear()
    assert not any(came_by_lmtp(each) for each in found)
    assert found[0] == found[1]


@pytest.mark.parametrize("settings", [SOCKET, ON.replace("/dovecot/lmtp", "/nobody"), ON + 'set dovecot ""\n'])
def test_without_folders_or_a_server_the_command_is_run(bed: Bed, dovecot: Dovecot, settings: str) -> None:
    configure(bed, settings + ONE.format(f"{D} -d {USER} -m Received"))
    done = fetch(bed, PLAIN)
    assert (done.status, done.err) == (0, b""), done
    ((_, found),) = stored(dovecot).items()
    assert found == [PLAIN]


def test_whom_dovecot_does_not_know_the_command_tells(bed: Bed, dovecot: Dovecot) -> None:
    said = []
    for settings in ("", ON):
        configure(bed, settings + ONE.format(f"{D} -d nobody@example.com"))
        done = fetch(bed, PLAIN)
        assert done.status == 75
        said.append(done.err)
    assert said[0] == said[1]
    assert b"command returned 67" in said[0]
    assert stored(dovecot) == {}


OK = b"250 2.0.0 OK\r\n"
BEGIN = (b"220 here\r\n", b"250-here\r\n250 PIPELINING\r\n")
TAKEN = (OK, OK, b"354 go\r\n")
BOTH_TAKEN = (OK, OK, OK, b"354 go\r\n")


@pytest.fixture
def strange(bed: Bed) -> Iterator[Path]:
    """Where a server of another kind listens, as seen from outside."""
    path = bed.folder / "run" / "strange"
    yield path
    path.unlink()


@pytest.mark.parametrize("answer", [b"25", b"garbage\r\n"], ids=["gone", "garbage"])
def test_a_server_that_dies_with_the_message_in_its_hands_leaves_it_to_the_next_try(
    bed: Bed, dovecot: Dovecot, ca: Path, strange: Path, answer: bytes
) -> None:
    """The first delivery is done, and not made again; of the second, in the same transaction, nobody knows."""
    configure(bed, SEED)
    with server((*BEGIN, *BOTH_TAKEN, OK + answer), strange) as heard:
        strange.chmod(0o777)
        done = fetch(bed, PLAIN, ON.replace("/run/dovecot/lmtp", "/run/strange"))
    assert done.status == 75, done
    assert b"whether Dovecot has stored it is not known: " in done.err
    # Both went over one connection, and no command was run behind it.
    assert [line for line in heard if line.startswith(b"RCPT")] == [
        b"RCPT TO:<user@example.com>",
        b"RCPT TO:<user+Received@example.com>",
    ]
    assert stored(dovecot) == {}
    assert fetch(bed, PLAIN, ON).status == 0
    assert texts(dovecot.imaps, ca, USER) == []
    (found,) = texts(dovecot.imaps, ca, USER, "Received")
    assert came_by_lmtp(found)


@pytest.mark.parametrize("refusal", [(b"421 busy\r\n", CLOSE), (*BEGIN, OK, b"451 later\r\n", b"503 none\r\n")])
def test_what_a_server_does_not_take_the_command_delivers(
    bed: Bed, dovecot: Dovecot, strange: Path, refusal: tuple[bytes | None, ...]
) -> None:
    configure(bed, ONE.format(f"{D} -d {USER}"))
    with server(refusal, strange):
        strange.chmod(0o777)
        assert fetch(bed, PLAIN, ON.replace("/run/dovecot/lmtp", "/run/strange")).status == 0
    ((_, found),) = stored(dovecot).items()
    assert found == [PLAIN]


def test_who_is_told_to_end_waits_for_no_answer(bed: Bed, dovecot: Dovecot, strange: Path) -> None:
    configure(bed, ON.replace("/run/dovecot/lmtp", "/run/strange") + ONE.format(f"{D} -d {USER}"))
    with server((*BEGIN, *TAKEN, SILENCE), strange) as heard:
        strange.chmod(0o777)
        name = bed.begin("sh", "-c", "exec /usr/bin/fdm -a stdin -f ~/fdm.conf -m fetch", stdin=PLAIN)
        until(lambda: len(heard) > len(BEGIN) + len(TAKEN) - 1)
        before = time.monotonic()
        bed.signal(name, signal.SIGTERM)
        assert bed.wait(name).status == 75
        # On a machine that has nothing else to do it is less than one second; the answer is waited for for 900.
        assert time.monotonic() - before < 15
    assert stored(dovecot) == {}
