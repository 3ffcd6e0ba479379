"""A client counts as told when its replies were written while it was there: nothing is swallowed, nothing twice."""

from __future__ import annotations

import os
import signal

import pytest

from tests.serve.conftest import Starter
from tests.serve.service import (
    ENVELOPE,
    NAME,
    PATIENCE,
    PATIENT,
    WAITS_FOR_WORKERS,
    Client,
    Service,
    a_mail,
    until,
    wire,
)

ONE = 'match all action maildir "box"\n'
# Waits until somebody opens the gate.
GATED = 'match all action pipe "cat >>log; touch started; read x <gate"\n'
FIRST, SECOND = "first@example.com", "second@example.com"
WITH_AND_WITHOUT = pytest.mark.parametrize("queued", [False, True], ids=["journal", "queue"])


def queueing(service: Service, queued: bool) -> None:
    service.site.write_text(f'set queue "{service.folder}/queue"\n' if queued else "")


@WITH_AND_WITHOUT
@pytest.mark.parametrize("behind", [b"", b"QUIT\r\n", b"NOOP\r\nQUIT\r\n"])
def test_who_has_his_answer_may_bring_an_equal_message(make: Starter, queued: bool, behind: bytes) -> None:
    service = make()
    queueing(service, queued)
    service.configure(ONE)
    service.start()
    for number in (1, 2, 3):
        with service.connect() as client:
            client.begin()
            client.say(wire(a_mail()) + behind)
            assert client.code() == 250
        until(lambda number=number: len(service.box("box")) == number)
        until(lambda: service.records() == service.queue() == [])


def test_who_has_his_answer_at_the_end_of_the_server_may_too(make: Starter) -> None:
    service = make(limits=PATIENT)
    home = service.configure(GATED)
    os.mkfifo(home / "gate")
    for copies in (1, 2):
        service.start()
        with service.connect() as client:
            client.begin()
            client.say(wire(a_mail()))
            until((home / "started").exists)
            assert service.process
            service.process.send_signal(signal.SIGTERM)
            until(lambda: "stopping" in service.log.read_text())
            (home / "gate").write_text("go\n")
            assert client.code() == 250
        assert service.process.wait(PATIENCE) == 0
        until(lambda: service.records() == [])
        assert (home / "log").read_bytes().count(a_mail()) == copies
        (home / "started").unlink()
        service.log.unlink()


def two_users(make: Starter, workers: int = 2) -> tuple[Service, Client]:
    """A message for two users, the first of whom has it, while the second one's waits at a gate."""
    service = make(limits=WAITS_FOR_WORKERS, workers=workers)
    service.configure(ONE, FIRST)
    home = service.configure(GATED, SECOND)
    os.mkfifo(home / "gate")
    service.start()
    client = service.connect()
    hand_to_both(client)
    until((home / "started").exists)
    until(lambda: service.box("box", FIRST) == [a_mail()])
    return service, client


def hand_to_both(client: Client) -> None:
    client.say(b"LHLO c\r\nMAIL FROM:<a@example.org>\r\n")
    client.say(b"".join(b"RCPT TO:<%s>\r\n" % name.encode() for name in (FIRST, SECOND)) + b"DATA\r\n")
    assert [client.code() for _ in range(5)] == [250, 250, 250, 250, 354]
    client.say(wire(a_mail()))


def open_gate(service: Service) -> None:
    (service.users / SECOND / "gate").write_text("go\n")


def copies(service: Service) -> tuple[int, int]:
    return len(service.box("box", FIRST)), (service.users / SECOND / "log").read_bytes().count(a_mail())


def settled(service: Service) -> bool:
    return service.records(FIRST) == service.records(SECOND) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_of_two_users_each_has_every_message_once(make: Starter, workers: int) -> None:
    service, client = two_users(make, workers)
    for number in (1, 2):
        open_gate(service)
        assert [client.code(), client.code()] == [250, 250]
        until(lambda: settled(service))
        assert copies(service) == (number, number)
        if number == 1:
            hand_to_both(client)
    client.close()


def test_a_client_that_is_gone_before_the_last_answer_has_not_heard_the_first(make: Starter) -> None:
    service, client = two_users(make)
    client.close()
    open_gate(service)
    until(lambda: service.records(FIRST) and service.records(SECOND))
    with service.connect() as again:
        hand_to_both(again)
        assert [again.code(), again.code()] == [250, 250]
    until(lambda: settled(service))
    assert copies(service) == (1, 1)


def test_a_killed_server_has_told_neither(make: Starter) -> None:
    """The delivery under way may be made twice, and not the one that was done."""
    service, client = two_users(make)
    service.stop(signal.SIGKILL)
    assert client.code() == 0
    client.close()
    (service.users / SECOND / "started").unlink()
    service.start()
    with service.connect() as again:
        hand_to_both(again)
        until((service.users / SECOND / "started").exists)
        open_gate(service)
        assert [again.code(), again.code()] == [250, 250]
    until(lambda: settled(service))
    assert copies(service) == (1, 2)


def test_a_stopped_server_tells_both(make: Starter) -> None:
    service, client = two_users(make)
    service.stop()
    assert [client.code(), client.code()] == [250, 451]
    client.close()
    # Who was told brings the message to the other one alone; an equal one for the first is another message.
    assert service.records(FIRST) == []
    service.start()
    assert service.hand(a_mail(), FIRST) == 250
    assert len(service.box("box", FIRST)) == 2


def test_who_does_not_read_his_answer_has_not_heard_it(make: Starter) -> None:
    service = make(idle=1)
    service.configure(ONE)
    service.start()
    message = ENVELOPE % NAME.encode() + wire(a_mail())
    # More replies than a socket holds, and in front of the last one.
    with service.at_once(b"LHLO c\r\n" * 4000 + message):
        until(lambda: service.records() != [])
    with service.at_once(message) as client:
        assert [client.code() for _ in range(5)] == [250, 250, 250, 354, 250]
    assert service.box("box") == [a_mail()]
