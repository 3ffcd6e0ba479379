"""The server, its nursery or a worker is killed or stopped in the middle: nothing is lost, nothing is made twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rulesmith.delivery import queue
from tests.faults.ledger import balance
from tests.serve.conftest import Starter
from tests.serve.service import (
    PATIENCE,
    PATIENT,
    SOON,
    WAITS_FOR_WORKERS,
    Client,
    Service,
    a_mail,
    is_gone,
    until,
    wire,
)

# The second delivery waits at a gate that nobody opens before the end.
RULES = """\
match all action { maildir "box" pipe "cat >>log; echo $$ >>pids; touch started; test -e open || read x <gate"
                   maildir "last" }
"""
WITH_AND_WITHOUT = pytest.mark.parametrize("queued", [False, True], ids=["journal", "queue"])


@contextmanager
def begun(make: Starter, queued: bool) -> Iterator[tuple[Service, Path, Client]]:
    """A server in the middle of a message's second delivery. At the end the gate is open, and nobody is at it."""
    service = make(limits=WAITS_FOR_WORKERS)
    if queued:
        service.site.write_text(f'set queue "{service.folder}/queue"\n')
    home = service.configure(RULES)
    (home / "pids").touch()
    os.mkfifo(home / "gate")
    gate = os.open(home / "gate", os.O_RDWR)
    try:
        service.start()
        client = service.connect()
        client.begin()
        client.say(wire(a_mail()))
        until((home / "started").exists)
        yield service, home, client
    finally:
        pids = (home / "pids").read_text().split()
        # Whoever comes late to the gate finds his line there.
        os.write(gate, b"go\n" * len(pids))
        until(lambda: all(is_gone(int(pid)) for pid in pids))
        os.close(gate)


def is_at_the_gate(home: Path) -> bool:
    [pid] = (home / "pids").read_text().split()
    return not is_gone(int(pid))


def kept(service: Service) -> list[bytes]:
    folder = bytes(service.folder / "queue")
    names = queue.names(folder) if os.path.isdir(folder) else []
    return [queue.look(folder, name).raw().removeprefix(b"Return-Path: <a@example.org>\n") for name in names]


def settled(service: Service, home: Path, told: bool) -> None:
    """After the end: the client brings again what it was not told of, the queue is worked on, and all is there once."""
    mail = a_mail()
    plan = {mail: ("box", "last")}
    boxes = {name: service.box(name) for name in ("box", "last")}
    assert balance(plan, [*([] if told else [mail]), *kept(service)], boxes).wrong == []
    (home / "open").touch()
    service.start()
    if not told:
        assert service.hand(mail) == 250
    service.stop()
    service.work()
    result = balance(plan, kept(service), {name: service.box(name) for name in ("box", "last")})
    assert (result.wrong, result.waiting, result.done) == ([], 0, 1)


@WITH_AND_WITHOUT
@pytest.mark.parametrize("whom", ["server", "nursery", "worker", "all"])
def test_killed_in_the_middle_of_a_message(make: Starter, whom: str, queued: bool) -> None:
    with begun(make, queued) as (service, home, client):
        server, nursery, *_ = service.family()
        worker = service.workers()
        victims = {"server": [server], "nursery": [nursery], "worker": worker, "all": [server, nursery, *worker]}[whom]
        # What is in the queue is begun before its client is told, and the dead tell nothing.
        code = client.code() if queued and server in victims else None
        assert is_at_the_gate(home)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        if code is None:
            code = client.code()
        client.close()
        assert code in ((250,) if queued else (0, 451))
        if whom == "worker":
            # The server goes on; the next message has another worker.
            (home / "open").touch()
            assert service.hand(a_mail(2)) == 250
            until(lambda: a_mail(2) in service.box("last"))
            service.stop()
            for name in ("box", "last"):
                [path] = [path for path in (home / name / "new").iterdir() if path.read_bytes().endswith(a_mail(2))]
                path.unlink()
        else:
            assert service.process
            service.process.wait(PATIENCE)
            until(lambda: all(is_gone(pid) for pid in worker))
        settled(service, home, told=code == 250)


@WITH_AND_WITHOUT
def test_stopped_in_the_middle_of_a_message(make: Starter, queued: bool) -> None:
    with begun(make, queued) as (service, home, client):
        assert service.stop() < SOON
        code = client.code()
        assert code == (250 if queued else 451)
        client.close()
        assert not service.socket.exists()
        settled(service, home, told=code == 250)


def test_a_delivery_that_ends_soon_after_the_stop_is_made_and_its_client_told(make: Starter) -> None:
    service = make(limits=PATIENT)
    home = service.configure('match all action pipe "cat >>log; touch started; read x <gate"\n')
    os.mkfifo(home / "gate")
    service.start()
    with service.connect() as client, service.connect() as idle:
        client.begin()
        client.say(wire(a_mail()))
        until((home / "started").exists)
        assert service.process
        service.process.send_signal(signal.SIGTERM)
        # Who has nothing under way is sent home at once.
        assert idle.code() == 421
        (home / "gate").write_text("go\n")
        assert client.code() == 250
    assert service.process.wait(PATIENCE) == 0
    assert (home / "log").read_bytes() == b"Return-Path: <a@example.org>\n" + a_mail()


def test_a_stop_while_a_message_arrives_takes_nothing_of_it(make: Starter) -> None:
    service = make()
    service.configure('match all action maildir "box"\n')
    service.start()
    with service.connect() as client:
        client.begin()
        client.say(a_mail(size=600_000)[:500_000])
        assert service.stop() < SOON
        # Nothing that could be taken for an answer to the message.
        assert client.code() == 0
    assert service.box("box") == []


@pytest.mark.parametrize("size", [0, 600_000])
def test_a_client_that_dies_in_the_middle_has_handed_over_nothing(make: Starter, size: int) -> None:
    service = make()
    service.configure('match all action maildir "box"\n')
    service.start()
    client = service.connect()
    client.begin()
    client.say(wire(a_mail(size=size))[:-5])
    client.close()
    assert service.hand(a_mail(2)) == 250
    assert service.box("box") == [a_mail(2)]


def test_a_socket_that_a_killed_server_has_left_is_replaced_and_a_live_one_is_not(make: Starter) -> None:
    service = make()
    service.configure('match all action maildir "box"\n')
    service.start()
    service.stop(signal.SIGKILL)
    assert service.socket.exists()
    first = service.start().process
    with pytest.raises(AssertionError, match="another server answers there"):
        service.start()
    service.process = first
    assert service.hand(a_mail()) == 250


def test_the_socket_is_for_its_owner_alone(make: Starter) -> None:
    service = make()
    service.start()
    assert service.socket.stat().st_mode & 0o777 == 0o600


def test_a_stop_right_after_the_answer_leaves_no_record(make: Starter) -> None:
    """A worker forgets a message after its client was told; a record left over would swallow an equal one later."""
    service = make(limits=PATIENT)
    service.configure('match all action { maildir "box" maildir "last" }\n')
    for number in range(1, 6):
        service.start()
        with service.connect() as client:
            assert client.hand(a_mail()) == 250
            service.stop()
        assert service.records() == []
        assert len(service.box("box")) == len(service.box("last")) == number


def test_a_stop_with_many_messages_behind_the_one_under_way(make: Starter) -> None:
    """They were not begun, and are not answered."""
    service = make(limits=PATIENT)
    home = service.configure('match all action pipe "cat >>log; touch started; read x <gate"\n')
    os.mkfifo(home / "gate")
    service.start()
    one = b"MAIL FROM:<>\r\nRCPT TO:<user@example.com>\r\nDATA\r\nA: b\r\n.\r\n"
    with service.connect() as client:
        client.say(b"LHLO c\r\n" + one * 2500)
        until((home / "started").exists)
        client.say(one)  # and this one is never read, so that the end is a reset
        assert service.process
        service.process.send_signal(signal.SIGTERM)
        until(lambda: "stopping" in service.log.read_text())
        (home / "gate").write_text("go\n")
        assert [client.code() for _ in range(6)] == [250, 250, 250, 354, 250, 0]
    assert service.process.wait(PATIENCE) == 0
    assert "Traceback" not in service.log.read_text()
    assert (home / "log").read_text().count("A: b") == 1


def test_a_dead_nursery_with_many_messages_behind_the_one_under_way(make: Starter) -> None:
    service = make(limits=WAITS_FOR_WORKERS)
    home = service.configure('match all action pipe "cat >>log; touch started; exec sleep 600"\n')
    service.start()
    one = b"MAIL FROM:<>\r\nRCPT TO:<user@example.com>\r\nDATA\r\nA: b\r\n.\r\n"
    with service.connect() as client:
        client.say(b"LHLO c\r\n" + one * 2500)
        until((home / "started").exists)
        client.say(one)  # and this one is never read, so that the end is a reset
        family = service.family()
        os.kill(family[1], signal.SIGKILL)
        codes = []
        while code := client.code():
            codes.append(code)
    assert service.process
    assert service.process.wait(PATIENCE) == 1
    assert set(codes[4:]) <= {250, 354, 451}
    assert codes[:5] in ([250, 250, 250, 354, 451], [250, 250, 250, 354])
    assert "Traceback" not in service.log.read_text()
    until(lambda: all(is_gone(pid) for pid in family))
