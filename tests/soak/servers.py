"""Servers that die, or fall silent."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from random import Random

from tests.soak.fault import Kind
from tests.soak.processes import send
from tests.soak.stage import Stage

Work = Callable[[Stage, Random], AbstractContextManager[None]]


def _dovecot_is_killed(name: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        server = stage.house.provider if name == "provider" else stage.house.local
        stage.kill_server(server)
        if name == "provider":
            stage.chronicle.broken()
        yield
        stage.restart(server)

    return work


def _dovecot_is_silent(name: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        config = f"/config/{name}.conf"
        stopped = [each for each in stage.processes.below(config) if send(each, signal.SIGSTOP)]
        yield
        # One that had just been forked has another name by now; and nobody minds to be woken up twice.
        for process in [*stopped, *stage.processes.below(config)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.number, signal.SIGCONT)

    return work


def _filter_is_killed(name: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        stage.spam.signal(name, signal.SIGKILL)
        yield
        stage.spam.start(name)

    return work


def _filter_is_silent(name: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        stage.spam.signal(name, signal.SIGSTOP)
        yield
        stage.spam.signal(name, signal.SIGCONT)

    return work


KINDS = (
    Kind("the provider is killed", "provider", _dovecot_is_killed("provider")),
    Kind("the provider is silent", "provider", _dovecot_is_silent("provider"), 8.0),
    Kind("the local Dovecot is killed", "dovecot", _dovecot_is_killed("dovecot")),
    Kind("the local Dovecot is silent", "dovecot", _dovecot_is_silent("dovecot"), 8.0),
    Kind("rspamd is killed", "rspamd", _filter_is_killed("rspamd")),
    Kind("rspamd is silent", "rspamd", _filter_is_silent("rspamd")),
    Kind("redis is killed", "redis", _filter_is_killed("redis")),
    Kind("redis is silent", "redis", _filter_is_silent("redis")),
)
