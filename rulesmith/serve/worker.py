"""A worker: takes messages through the door, one after the other, as one process of `rulesmith fetch` takes one."""

from __future__ import annotations

import _signal
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
    from typing import NoReturn

    from rulesmith.serve.agent import Agent
    from rulesmith.serve.line import Line
    from rulesmith.serve.settings import Settings


def prepare() -> None:
    """Load what most messages need, once for all workers."""
    for name in ("mda", "serve.door", "delivery.maildir", "delivery.command", "actions.maildir", "actions.pipe"):
        __import__("rulesmith." + name)
    for name in ("conditions.regexp", "conditions.all", "regexp.search", "mail.date", "serve.agent"):
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
        self._notes: list[tuple[str, str]] = []
        self._programs = Programs(lambda who, text: server.say(line.NOTE, who, text))
        self._agent: Agent | None = None
        if settings.dovecot:
            from rulesmith.serve.agent import Agent

            self._agent = Agent(os.fsencode(settings.dovecot), settings.folders)
        self._poll = select.poll()
        self._poll.register(server.socket.fileno(), select.POLLIN)

    def serve(self) -> bool:
        """Take one message through its rules; False where there will be none any more."""
        while self._agent is not None and not self._poll.poll(SERVE_IDLE * 1000):
            self._agent.close()
        heard = self._server.hear()
        if heard is None:
            return False
        (_, _, folder, variables, config, size, octets), descriptor = heard
        caller = _Caller(self._server)
        handed = Handed(octets, size, descriptor)
        status = fdm.EX_TEMPFAIL
        try:
            status = self._run(folder, variables, config, handed, caller)
        except Stopped:
            # Before the door had it in its hands.
            handed.close()
        stopping.over = True
        caller.end(status)
        goes_on = not stopping.asked and not caller.leaves
        stopping.forget()
        return goes_on

    def _run(self, folder: str, variables: dict[str, str], config: str, handed: Handed, caller: _Caller) -> int:
        from rulesmith.serve.door import ServeDoor  # loaded already

        words = [*self._settings.words, "-m", "-f", config, "fetch"]
        options = parse(words)
        log = Log(options.verbose, options.quiet, "fdm" if options.syslog else None)
        os.environ.update(variables)
        try:
            os.chdir(folder)
        except OSError as error:
            log.warn(f"{folder}: {error.strerror}")
            handed.close()
            return fdm.EX_TEMPFAIL
        door = ServeDoor(options, log, words, handed, self._programs, caller, self._agent)
        try:
            return door.run()
        finally:
            door.close()


class _Caller:
    """The server, for one message."""

    def __init__(self, server: Line) -> None:
        self.leaves = False
        self._server = server
        self._last: bool | None = None  # of the answer; None before there is one
        self._heard: bool | None = None

    def answer(self, status: int, last: bool) -> None:
        if self._last is not None:
            return
        self.leaves = _has_grown()
        self._last = last and not self.leaves
        try:
            self._server.say(line.ANSWER, status, self._last)
        except OSError:
            self._heard = False

    def has_heard(self) -> bool:
        if self._heard is None:
            words = self._server.hear()
            self._heard = words is not None and bool(words[0][1])
        return self._heard

    def end(self, status: int) -> None:
        """The message is done with. No answer so far means the status."""
        self.answer(status, last=True)
        self.has_heard()
        if not self._last:
            try:
                self._server.say(line.FREE, self.leaves)
            except OSError:
                # The server is gone, as the next look will show.
                return


def _has_grown() -> bool:
    """Whether a message has taken so much memory that a new process should come after it."""
    import resource  # small, and loaded by now

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > SERVE_WORKER_MEMORY >> 10
