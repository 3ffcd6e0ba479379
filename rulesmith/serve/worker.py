"""A worker: takes messages through the door, one after the other, as one process of `rulesmith fetch` takes one."""

from __future__ import annotations

import _signal
import functools
import os
import select

from rulesmith import fdm
from rulesmith.effects import Stopped, stopping
from rulesmith.limits import SERVE_IDLE, SERVE_WORKER_MEMORY
from rulesmith.log import Log
from rulesmith.options import parse
from rulesmith.serve import line
from rulesmith.serve.handed import Handed
from rulesmith.serve.programs import Programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rulesmith.delivery.dovecot import Agent
    from rulesmith.options import Options
    from rulesmith.serve.door import ServeDoor
    from rulesmith.serve.line import Line
    from rulesmith.serve.settings import Settings

# So many command lines are kept as they were read.
_KEPT = 8


def prepare() -> None:
    """Load what most messages need, once for all workers."""
    for name in ("mda", "serve.door", "delivery.maildir", "delivery.command", "actions.maildir", "actions.pipe"):
        __import__("rulesmith." + name)
    for name in ("conditions.regexp", "conditions.all", "regexp.search", "mail.date", "delivery.dovecot"):
        __import__("rulesmith." + name)
    import re  # many regexps end there

    re.compile(b"")


def work(server: Line, settings: Settings) -> NoReturn:
    """Until the server lets go, or SIGTERM comes."""
    stopping.forget()
    for number in (_signal.SIGTERM, _signal.SIGINT):
        _signal.signal(number, fdm.stop)
    try:
        worker = Worker(server, settings)
        while worker.serve():
            pass
    except Stopped:
        # Nothing was under way.
        os._exit(0)
    os._exit(0)


class Worker:
    """What lasts from message to message: programs, and a connection to Dovecot."""

    def __init__(self, server: Line, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._programs = Programs(lambda who, text: server.say(line.NOTE, who, text))
        self._agent: Agent | None = None
        if settings.dovecot is not None:
            from rulesmith.delivery.dovecot import Agent

            self._agent = Agent(os.fsencode(settings.dovecot), settings.folders)
        self._poll = select.poll()
        self._poll.register(server.socket.fileno(), select.POLLIN)
        # Messages that are answered, while nobody knows yet whether their clients hear that: the door, the status, and
        # where and for whom it was.
        self._untold: dict[int, tuple[ServeDoor, int, str, dict[str, str]]] = {}
        self._leaves = False

    def serve(self) -> bool:
        """Do what the server says next; False where there will be nothing any more."""
        while self._agent is not None and not self._poll.poll(SERVE_IDLE * 1000):
            self._agent.close()
        # What is done has to be settled first: the server says when, or is gone.
        stopping.over = bool(self._untold)
        heard = self._server.hear()
        if heard is None:
            for number in list(self._untold):
                self._settle(number, False)
            return False
        words, descriptor = heard
        if words[0] == line.TOLD:
            self._settle(*words[1:])
        else:
            self._take(words[1:], descriptor)
        return bool(self._untold) or not self._leaves

    def _settle(self, number: int, heard: bool) -> None:
        door, status, folder, variables = self._untold.pop(number)
        # Names in a configuration are those of this place.
        _enter(folder, variables, door.log)
        try:
            door.settle(status, heard)
        finally:
            door.close()

    def _take(self, job: tuple[Any, ...], descriptor: int) -> None:
        """One message through its rules."""
        number, folder, variables, config, size, octets = job
        from rulesmith.serve.door import ServeDoor  # loaded already

        answered = False

        def taken() -> None:
            nonlocal answered
            answered = True
            self._say(line.ANSWER, fdm.SUCCESS, False)

        words = [*self._settings.words, "-m", "-f", config, "fetch"]
        options = _options(*words)
        log = Log(options.verbose, options.quiet, "fdm" if options.syslog else None)
        door = ServeDoor(options, log, words, Handed(octets, size, descriptor), self._programs, taken, self._agent)
        status = fdm.EX_TEMPFAIL
        stopping.forget()
        try:
            if _enter(folder, variables, log):
                status = door.run()
            stopping.over = True
        except Stopped:
            # Before the door had the message in its hands.
            log.warn(f"{config}: stopped before the message was looked at")
        self._leaves = bool(stopping.asked) or _has_grown()
        self._untold[number] = door, status, folder, variables
        if not answered:
            self._say(line.ANSWER, status, not self._leaves)
        if answered or self._leaves:
            self._say(line.FREE, self._leaves)

    def _say(self, *words: Any) -> None:
        try:
            self._server.say(*words)
        except OSError:
            # The server is gone, as the next look will show.
            return


def _enter(folder: str, variables: dict[str, str], log: Log) -> bool:
    """Be where a user's rules are at home; whether that can be."""
    os.environ.update(variables)
    try:
        os.chdir(folder)
    except OSError as error:
        log.warn(f"{folder}: {error.strerror}")
        return False
    return True


@functools.lru_cache(_KEPT)
def _options(*words: str) -> Options:
    """What a command line says; it is the same for all messages of a user."""
    return parse(list(words))


def _has_grown() -> bool:
    """Whether a message has taken so much memory that a new process should come after it."""
    import resource  # small, and loaded by now

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > SERVE_WORKER_MEMORY >> 10
