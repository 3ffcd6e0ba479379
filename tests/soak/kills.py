"""Processes that are killed, or told to end, in the middle of their work."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from random import Random

from tests.soak.chronicle import now
from tests.soak.fault import Kind, NothingToBreak
from tests.soak.processes import Process, send
from tests.soak.stage import Stage

_SEARCH = 1.0  # seconds
# Seconds to end after SIGTERM; two are promised, on a machine that has nothing else to do.
_STOP = 30.0


def _found(stage: Stage, wanted: Callable[[Process], bool]) -> list[Process]:
    """Some such processes, as soon as there are any."""
    end = now() + _SEARCH
    while now() < end:
        found = [process for process in stage.processes.all() if wanted(process)]
        if found:
            return found
        if stage.pause(0.002):
            break
    raise NothingToBreak


def _blow(
    stage: Stage, rng: Random, wanted: Callable[[Process], bool], what: str, number: int, life: float = 0.15
) -> None:
    """At any moment of the victim's life, which lasts some `life` seconds, not always the first."""
    _found(stage, wanted)
    stage.pause(rng.uniform(0, life))
    victim = rng.choice(_found(stage, wanted))
    letter = victim.letter()
    began = now()
    if not send(victim, number):
        raise NothingToBreak
    text = f"{signal.Signals(number).name} to {what}"
    if number == signal.SIGKILL:
        stage.chronicle.kill(text, letter)
    else:
        while victim.is_there():
            assert now() < began + _STOP, f"{what} does not end"
            stage.pause(0.01)
        stage.chronicle.stop(text, letter, began, now())


@contextlib.contextmanager
def fetchmail_is_killed(stage: Stage, rng: Random) -> Iterator[None]:
    _blow(stage, rng, Process.is_fetchmail, "fetchmail", signal.SIGKILL)
    stage.chronicle.broken()
    yield


@contextlib.contextmanager
def door_is_killed(stage: Stage, rng: Random) -> Iterator[None]:
    _blow(stage, rng, Process.is_door, "the door", signal.SIGKILL)
    yield


@contextlib.contextmanager
def door_is_stopped(stage: Stage, rng: Random) -> Iterator[None]:
    _blow(stage, rng, Process.is_door, "the door", signal.SIGTERM)
    yield


@contextlib.contextmanager
def deliver_is_killed(stage: Stage, rng: Random) -> Iterator[None]:
    _blow(stage, rng, Process.is_deliver, "deliver", signal.SIGKILL)
    yield


@contextlib.contextmanager
def try_is_killed(stage: Stage, rng: Random) -> Iterator[None]:
    if not stage.queued():
        raise NothingToBreak
    _blow(stage, rng, Process.is_try, "a try", signal.SIGKILL, life=0.02)
    yield


@contextlib.contextmanager
def queue_run_is_killed(stage: Stage, rng: Random) -> Iterator[None]:
    """Sometimes with the processes that it has started, sometimes they go on without it."""
    if stage.queue_run is None:
        raise NothingToBreak
    name, stage.queue_run = stage.queue_run, None
    stage.bed.signal(name, signal.SIGKILL)
    stage.bed.wait(name)
    if rng.random() < 0.5:
        for process in stage.processes.all():
            if process.is_try():
                letter = process.letter()
                if send(process, signal.SIGKILL):
                    stage.chronicle.kill("SIGKILL to a try", letter)
    yield
    stage.start_queue_run()


@contextlib.contextmanager
def queue_run_is_stopped(stage: Stage, rng: Random) -> Iterator[None]:
    if stage.queue_run is None:
        raise NothingToBreak
    name, stage.queue_run = stage.queue_run, None
    under_way = [process.letter() for process in stage.processes.all() if process.is_try()]
    began = now()
    stage.bed.signal(name, signal.SIGTERM)
    done = stage.bed.wait(name)
    for letter in under_way:
        stage.chronicle.stop("SIGTERM to a try", letter, began, now())
    # One that has only just been started does not know yet what the signal means.
    assert done.status in (0, -signal.SIGTERM), done
    yield
    stage.start_queue_run()


KINDS = (
    Kind("kill -9 fetchmail", "", fetchmail_is_killed, 0),
    Kind("kill -9 the door", "", door_is_killed, 0),
    Kind("SIGTERM to the door", "", door_is_stopped, 0),
    Kind("kill -9 deliver", "", deliver_is_killed, 0),
    Kind("kill -9 a try of the queue", "", try_is_killed, 0),
    Kind("kill -9 `queue run`", "queue run", queue_run_is_killed, 3.0),
    Kind("SIGTERM to `queue run`", "queue run", queue_run_is_stopped, 3.0),
)
