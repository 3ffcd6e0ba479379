"""Workers that cannot be started, that have a fault, that nobody needs: the service goes on, and the log says why."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from tests.serve.conftest import Starter
from tests.serve.service import PATIENCE, PATIENT, SOON, WAITS_FOR_WORKERS, Service, a_mail, is_gone, until, wire

ONE = 'match all action maildir "box"\n'
OTHER = "other@example.com"
EARLY = "early@example.com"
HANGS = 'match all action pipe "cat >/dev/null; touch started; exec sleep 600"\n'


def limit_files(pid: int, count: int = 1) -> None:
    """What a process has open stays so; with the first number alone it opens nothing more."""
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, most))


def test_where_no_worker_can_be_started_the_message_is_asked_for_again_and_the_service_goes_on(make: Starter) -> None:
    service = make()
    service.configure(ONE)
    service.configure(ONE, EARLY)
    service.start()
    # Where a worker was started and buried nothing is left to be loaded, nor to be closed.
    assert service.hand(a_mail(), EARLY) == 250
    [worker] = service.workers()
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in service.workers())
    nursery = service.family()[1]
    limit_files(nursery)
    for number in (1, 2):
        assert service.hand(a_mail()) == 451
        assert service.log.read_text().count("no worker can be started: Too many open files") == number
    limit_files(nursery, 100)
    assert service.hand(a_mail()) == 250
    assert service.box("box") == [a_mail()]


def test_who_waits_while_none_can_be_started_has_the_one_that_is_there(make: Starter) -> None:
    service = make()
    home = service.configure('match all action pipe "cat >>log; touch started; read x <gate"\n')
    os.mkfifo(home / "gate")
    service.configure(ONE, OTHER)
    service.start()
    with service.connect() as first, service.connect() as second:
        first.begin()
        first.say(wire(a_mail()))
        until((home / "started").exists)
        nursery = service.family()[1]
        limit_files(nursery)
        second.begin(OTHER)
        second.say(wire(a_mail()))
        until(lambda: "no worker can be started" in service.log.read_text())
        (home / "gate").write_text("go\n")
        assert (first.code(), second.code()) == (250, 250)


def with_a_fault(make: Starter, folder: Path, place: str) -> Service:
    """A server with a function that raises, in all of its processes."""
    fault = "def fault(*_):\n    raise RuntimeError('a fault of ours')\n"
    (folder / "sitecustomize.py").write_text(f"from rulesmith.serve import worker\n{fault}worker.{place} = fault\n")
    root = Path(__file__).parent.parent.parent
    service = make(env={"PYTHONPATH": f"{folder}:{root}"})
    service.configure(ONE)
    return service.start()


def test_a_collection_leaves_alone_what_workers_share(make: Starter, tmp_path: Path) -> None:
    """It writes into all that it looks at: what a worker has from the nursery would be its own then."""
    found = tmp_path / "found"
    (tmp_path / "sitecustomize.py").write_text(
        "import gc\nfrom pathlib import Path\nfrom rulesmith.serve import worker\n"
        f"worker._has_grown = lambda: Path({str(found)!r}).write_text(str(gc.get_freeze_count())) == 0\n"
    )
    service = make(env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent.parent}"})
    service.configure(ONE)
    service.start()
    assert service.hand(a_mail()) == 250
    assert int(found.read_text()) > 1000


@pytest.mark.parametrize("place", ["Worker._take", "_has_grown"])
def test_a_fault_in_a_worker_is_in_the_log(make: Starter, tmp_path: Path, place: str) -> None:
    """Before a message, and behind its delivery."""
    service = with_a_fault(make, tmp_path, place)
    assert service.hand(a_mail()) == 451
    text = service.log.read_text()
    assert "RuntimeError: a fault of ours" in text
    assert "a worker has ended in the middle of it" in text


def test_a_fault_where_workers_come_from_is_in_the_log(make: Starter, tmp_path: Path) -> None:
    service = with_a_fault(make, tmp_path, "prepare")
    assert service.process
    assert service.process.wait(PATIENCE) == 1
    text = service.log.read_text()
    assert "RuntimeError: a fault of ours" in text
    assert "caught the end of the workers. stopping" in text


def test_who_has_waited_too_long_for_a_worker_is_asked_to_come_again(make: Starter) -> None:
    service = make(workers=1, limits={"SERVE_PATIENCE": 0.1, **WAITS_FOR_WORKERS})
    home = service.configure(HANGS)
    service.configure(ONE, OTHER)
    service.configure(ONE, EARLY)
    service.start()
    # Who finds a worker there does not wait for one.
    until(lambda: service.hand(a_mail(), EARLY) == 250)
    with service.connect() as hangs:
        hangs.begin()
        hangs.say(wire(a_mail()))
        until((home / "started").exists)
        assert service.hand(a_mail(), OTHER) == 451
        assert f"{OTHER}: no worker was free for 0.1 seconds" in service.log.read_text()
        assert service.box("box", OTHER) == []


def test_workers_that_nobody_needs_are_let_go_but_for_one(make: Starter) -> None:
    service = make(limits={"SERVE_IDLE": 0.1})
    names = ["a", "b", "c"]
    for name, client in zip(names, service.occupy(names), strict=True):
        service.release(name, client)
        client.close()
    until(lambda: len(service.workers()) == 1)
    service.configure(ONE)
    assert service.hand(a_mail()) == 250


def test_a_worker_that_stands_still_holds_up_nobody_else_and_is_waited_for(make: Starter) -> None:
    service = make(limits=PATIENT)
    service.configure(ONE)
    service.configure(ONE, OTHER)
    worker = service.stand_still()
    with service.connect() as client:
        client.begin()
        client.say(wire(a_mail(2)))
        # The server has handed it over, and starts another one for the next.
        assert service.hand(a_mail(1), OTHER) == 250
        assert service.box("box") == [a_mail(1)]
        os.kill(worker, signal.SIGCONT)
        assert client.code() == 250
    assert sorted(service.box("box")) == [a_mail(1), a_mail(2)]


def test_a_worker_that_stands_still_does_not_hold_up_the_end(make: Starter) -> None:
    service = make()
    service.configure(ONE)
    worker = service.stand_still()
    with service.connect() as client:
        client.begin()
        client.say(wire(a_mail(2)))
        assert service.stop() < SOON
        assert client.code() in (0, 451)
    assert is_gone(worker)
