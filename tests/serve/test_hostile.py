"""Slow, hostile and broken clients: a table of what they do, and that the server serves the next one as before."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.service import ENVELOPE, NAME, PATIENCE, Client, Service, a_mail, until, wire

BEGIN = ENVELOPE % NAME.encode()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service(maximum=1_000_000)
    made.configure('match all action maildir "box"\n')
    yield made.start()
    made.close()


@pytest.fixture(autouse=True)
def _others_are_served(service: Service) -> Iterator[None]:
    for path in (service.users / NAME).glob("box/new/*"):
        path.unlink()
    yield
    mail = a_mail(99)
    assert service.hand(mail) == 250
    assert mail in service.box("box")
    assert service.process
    assert service.process.poll() is None
    # What they have sent is not kept.
    assert _memory(service.process.pid) < 64 << 10


def _memory(pid: int) -> int:
    """Kilobytes."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])


def _everything(client: Client) -> list[int]:
    """The codes of all replies until the server hangs up, or has nothing more to say to somebody who has."""
    client.socket.shutdown(socket.SHUT_WR)
    codes = []
    while code := client.code():
        codes.append(code)
    return codes


SAID: dict[str, tuple[bytes, list[int], int]] = {
    # what they say, the replies, and how many messages are stored
    "no LHLO": (BEGIN.partition(b"\n")[2], [451, 451, 503], 0),
    "EHLO instead": (b"EHLO x\r\n" + BEGIN.partition(b"\n")[2], [500, 451, 451, 503], 0),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", [500, 500, 500], 0),
    "TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500) + b"\n", [500], 0),
    "NUL in a command": (b"LHLO c\r\nMAIL FROM:<a\0@x>\r\n", [250, 451], 0),
    "CR in a command": (b"LHLO c\r\nMAIL FROM:<a@x>\rRCPT TO:<b@x>\r\n", [250, 451], 0),
    "LF alone ends commands": (b"LHLO c\nNOOP\n", [250, 250], 0),
    "a command of 5 MB": (b"LHLO " + b"x" * 5_000_000 + b"\r\nNOOP\r\n", [451, 250], 0),
    "an address of 4000 octets": (BEGIN.replace(b"user", b"u" * 4000), [250, 250, 450, 503], 0),
    "a way out of the folder": (BEGIN.replace(NAME.encode(), b"../../etc/passwd"), [250, 250, 450, 503], 0),
    "hangs up in the message": (BEGIN + a_mail(), [250, 250, 250, 354], 0),
    "LF . LF ends no message": (BEGIN + b"a\n.\nQUIT\n", [250, 250, 250, 354], 0),
    "a second message smuggled in": (BEGIN + b"a: b\r\n\n.\r\n" + BEGIN + b"\r\n.\r\n", [250, 250, 250, 354, 250], 1),
    "bare CR and NUL in the message": (BEGIN + b"a: b\r\n\r\nx\ry\0z\r\n.\r\n", [250, 250, 250, 354, 250], 1),
    "no header": (BEGIN + b"just text\r\n.\r\n", [250, 250, 250, 354, 250], 1),
    "nothing at all": (BEGIN + b".\r\n", [250, 250, 250, 354, 451], 0),
    "all dots": (BEGIN + b"..\r\n" * 1000 + b".\r\n", [250, 250, 250, 354, 250], 1),
    "too big": (BEGIN + b"x\r\n" * 600_000 + b".\r\n", [250, 250, 250, 354, 452], 0),
    "too big by its own account": (b"LHLO c\r\nMAIL FROM:<> SIZE=99999999999999999999999\r\n", [250, 452], 0),
    "QUIT in the message": (BEGIN + b"QUIT\r\n.\r\nQUIT\r\n", [250, 250, 250, 354, 250, 221], 1),
    "all in one piece": (BEGIN + wire(a_mail()) + BEGIN + wire(a_mail(2)), [250, 250, 250, 354, 250] * 2, 2),
    "no message in 10,000 commands": (b"NOOP\r\n" * 10_100, [250] * 10_000 + [421], 0),
    "5xx after LHLO": (BEGIN.replace(b"DATA", b"RCPT\tTO:<x>\r\nHELO x\r\nBDAT 5"), [250, 250, 250, 451, 451, 451], 0),
    "RSET in between": (BEGIN.replace(b"DATA", b"RSET\r\nDATA"), [250, 250, 250, 250, 503], 0),
}


@pytest.mark.parametrize("what", SAID)
def test_what_they_say(service: Service, what: str) -> None:
    octets, codes, stored = SAID[what]
    with service.connect() as client:
        client.say(octets)
        assert _everything(client) == codes
    until(lambda: len(service.box("box")) >= stored)
    assert len(service.box("box")) == stored


def _say_for_ever(client: Client, octets: bytes) -> None:
    while True:
        client.say(octets)


def test_garbage_without_end_ends(service: Service) -> None:
    with service.connect() as client:
        with pytest.raises(ConnectionError):
            _say_for_ever(client, b"\xff\0\r\n" * 10_000)
        assert client.code() in (500, 0)


def test_thousands_of_recipients(service: Service) -> None:
    line = b"RCPT TO:<%s>\r\n" % NAME.encode()
    with service.connect() as client:
        client.say(b"LHLO c\r\nMAIL FROM:<>\r\n" + line * 5000)
        codes = [client.code() for _ in range(5002)]
        assert (codes.count(250), codes.count(452)) == (102, 4900)
        client.say(b"DATA\r\n" + wire(a_mail()))
        assert [client.code() for _ in range(101)] == [354] + [250] * 100
    # All of them are one user.
    assert service.box("box") == [a_mail()]


def test_one_who_never_reads_is_not_listened_to(service: Service) -> None:
    with service.connect() as client:
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            # Its replies are longer, and fill what is between us before it has said too much.
            _say_for_ever(client, b"LHLO c\r\n" * 1000)


def test_one_octet_at_a_time(service: Service) -> None:
    with service.connect() as client:
        for octet in BEGIN + wire(a_mail()) + b"QUIT\r\n":
            client.say(bytes((octet,)))
        assert _everything(client) == [250, 250, 250, 354, 250, 221]
    assert service.box("box") == [a_mail()]


def test_too_many_connections(service: Service) -> None:
    clients = [service.connect() for _ in range(101)]
    assert [client.greeting[:3] for client in clients] == [b"220"] * 100 + [b"421"]
    for client in clients:
        client.close()
    until(lambda: _is_welcome(service))


def _is_welcome(service: Service) -> bool:
    with service.connect() as client:
        return client.greeting.startswith(b"220")


@pytest.mark.parametrize(
    "octets",
    [b"", b"LHLO c\r\nMAIL", BEGIN + b"half"],
    ids=["nothing", "half a command", "half a message"],
)
def test_who_says_nothing_more_is_sent_away(octets: bytes) -> None:
    made = Service(idle=1)
    try:
        made.configure('match all action maildir "box"\n')
        made.start()
        with made.at_once(octets) as client:
            assert (_codes(client) or [0])[-1] in (421, 354, 0)
        assert made.box("box") == []
    finally:
        made.close()


def _codes(client: Client) -> list[int]:
    codes = []
    while code := client.code():
        codes.append(code)
    return codes


def test_one_who_is_never_done_is_sent_away_however_much_he_says() -> None:
    made = Service(transaction=1)
    try:
        made.configure('match all action maildir "box"\n')
        made.start()
        with made.at_once(BEGIN) as client:
            with pytest.raises(ConnectionError):
                _say_for_ever(client, b"more\r\n")
            # All of that was taken for the message.
            assert _codes(client) == [250, 250, 250, 354]
        assert made.box("box") == []
    finally:
        made.close()


@pytest.mark.parametrize("tail", [b"", b"QUIT\r\n"])
@pytest.mark.parametrize("limit", ["idle", "transaction"])
def test_one_who_never_reads_does_not_keep_his_place(tail: bytes, limit: str) -> None:
    settings: dict[str, Any] = {limit: 1}
    made = Service(**settings)
    try:
        made.start()
        with made.at_once(b"LHLO c\r\n" * 4000 + tail) as client:
            gone = select.poll()
            gone.register(client.socket, 0)
            assert gone.poll(PATIENCE * 1000) == [(client.socket.fileno(), select.POLLHUP)]
            # What is left is what was between us already.
            said = client.stream.read()
            assert len(said) > 100_000
            assert b"421" not in said
    finally:
        made.close()
