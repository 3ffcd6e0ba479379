"""Which worker gets which message, where workers die: each message has one worker and one answer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from rulesmith.fdm import EX_TEMPFAIL
from rulesmith.serve import line, nursery
from rulesmith.serve.line import Line
from rulesmith.serve.pool import Job, Pool
from rulesmith.serve.recipients import Recipient
from tests.serve.conftest import Starter
from tests.serve.service import PATIENCE, a_mail, is_gone, until, wire

USERS = "abcd"


class Stand:
    """A pool whose nursery and workers are the test."""

    def __init__(self, most: int) -> None:
        ours, self.nursery = line.pair()
        self.nursery.socket.setblocking(False)
        self.said: list[str] = []
        self.told: dict[str, int] = {}
        self.pool = Pool(ours, most, lambda *_: None, self.said.append, lambda: None)
        self._nursery = ours
        self.lines: list[Line] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    async def worker(self) -> Line:
        """The worker that the pool has asked for is born."""
        before = len(self.lines)

        def born() -> bool:
            self.look()
            return len(self.lines) > before

        await reached(born)
        return self.lines[-1]

    def look(self) -> None:
        """Each request of the pool is one worker."""
        if heard(self.nursery) == (nursery.NEW,):
            self._bear()

    def _bear(self) -> None:
        ours, theirs = line.pair()
        self._processes.append(subprocess.Popen(["sleep", "600"]))
        self.nursery.say(nursery.BORN, self._processes[-1].pid, descriptor=theirs.socket.fileno())
        theirs.close()
        ours.socket.setblocking(False)
        self.lines.append(ours)

    def hand(self, name: str, user: str) -> None:
        def answered(job: Job, status: int) -> None:
            assert name not in self.told
            self.told[name] = status
            job.tell(True)

        self.pool.submit(Job(Recipient(user, name, {}, "c"), b"x", -1, 1, answered))

    async def close(self) -> None:
        for talk in self.lines:
            talk.close()
        await reached(lambda: not self.pool.busy)
        for process in self._processes:
            process.kill()
            process.wait()
        asyncio.get_running_loop().remove_reader(self._nursery.socket.fileno())
        self._nursery.close()
        self.nursery.close()


def heard(talk: Line) -> tuple[object, ...] | None:
    """What has been said, None where nothing was; who has heard an answer does not matter here."""
    try:
        found = talk.hear()
    except BlockingIOError:
        return None
    assert found is not None
    return heard(talk) if found[0][0] == line.TOLD else found[0]


async def reached(holds: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + PATIENCE
    while not holds():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.005)


async def job(stand: Stand) -> tuple[Line, str]:
    """The next message of any worker: whose, and its name."""
    found: list[tuple[Line, str]] = []

    def came() -> bool:
        stand.look()
        for worker in stand.lines:
            words = heard(worker)
            if words is not None:
                assert words[0] == line.JOB
                assert heard(worker) is None, "a worker has one message at a time"
                found.append((worker, str(words[2])))
                return True
        return False

    await reached(came)
    return found[0]


async def done(stand: Stand, worker: Line, name: str) -> None:
    """Nobody is told anything before it is done."""
    before = dict(stand.told)
    assert name not in before
    worker.say(line.ANSWER, 0, True)
    await reached(lambda: name in stand.told)
    assert stand.told == before | {name: 0}


async def idle_ones_have_died(dead: int) -> None:
    stand = Stand(8)
    try:
        for user in USERS:
            stand.hand(user + "1", user)
            await stand.worker()
        for _ in USERS:
            await done(stand, *await job(stand))
        for worker in stand.lines[:dead]:
            worker.close()
        del stand.lines[:dead]
        for user in USERS:
            stand.hand(user + "2", user)
        for _ in USERS:
            await done(stand, *await job(stand))
        assert stand.said == []
    finally:
        await stand.close()


@pytest.mark.parametrize("dead", [1, 2, 3, 4])
def test_workers_that_are_dead_before_they_have_a_message_cost_nobody_his_answer(dead: int) -> None:
    asyncio.run(idle_ones_have_died(dead))


async def one_dies_at_work() -> None:
    stand = Stand(2)
    try:
        stand.hand("a1", "a")
        worker, _ = await job(stand)
        worker.close()
        stand.lines.remove(worker)
        await reached(lambda: stand.told == {"a1": EX_TEMPFAIL})
        assert stand.said == ["a: a worker has ended in the middle of it: a message is asked for again"]
    finally:
        await stand.close()


def test_a_message_whose_worker_has_died_is_asked_for_again_and_that_is_said() -> None:
    asyncio.run(one_dies_at_work())


def test_workers_that_die_while_the_server_stands_still(make: Starter) -> None:
    service = make()
    clients = service.occupy(USERS)
    for user, client in zip(USERS, clients, strict=True):
        service.release(user, client)
        service.configure('match all action maildir "box"\n', user)
        client.begin(user)
    killed = service.workers()[:3]  # one is left
    with service.standing_still():
        for client in clients:
            client.say(wire(a_mail()))
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(is_gone(pid) for pid in killed))
    assert [client.code() for client in clients] == [250] * len(USERS)
    assert "Traceback" not in service.log.read_text()
    assert all(service.box("box", user) == [a_mail()] for user in USERS)
    for client in clients:
        client.close()
