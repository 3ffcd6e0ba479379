"""The door for a message that came by LMTP: the one of `rulesmith fetch`, with another caller."""

from __future__ import annotations

from rulesmith.effects import Failure, stopping
from rulesmith.fdm import EX_TEMPFAIL, SUCCESS, Door
from rulesmith.mda import AccountRun, Session
from rulesmith.serve.driver import ServeDriver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.delivery.dovecot import Agent
    from rulesmith.delivery.entry import Entry
    from rulesmith.delivery.progress import Progress
    from rulesmith.delivery.spool import Spool
    from rulesmith.log import Log
    from rulesmith.options import Options
    from rulesmith.program import Account, Program
    from rulesmith.serve.handed import Handed
    from rulesmith.serve.programs import Programs
    from rulesmith.sources.stdin import Letter

    User = tuple[bytes, int, int, bytes]


class ServeDoor(Door):
    """One message. `taken` is called when the queue has it, and it is safe.

    What the last moment of a process does otherwise, `settle` does: the client has heard by then what became of the
    message, or it never will. What its end does, `close` does.
    """

    def __init__(
        self,
        options: Options,
        log: Log,
        words: list[str],
        handed: Handed,
        programs: Programs,
        taken: Callable[[], None],
        agent: Agent | None,
    ) -> None:
        super().__init__(options, log, "fdm", words)
        self._message = handed
        self._programs = programs
        self._taken = taken
        self._agent = agent
        self._served: ServeSession | None = None

    def close(self) -> None:
        """Let go of everything, as the end of a process would."""
        if self._served is not None:
            self._served.close()
        if self.entry is not None:
            self.entry.close()
        self._message.close()

    def _load(self, path: str, me: User) -> tuple[Program | None, dict[str, Any]]:
        return self._programs.load(path, self.options, me)

    def _chosen(self, program: Program) -> list[Account]:
        # What else is polled has nothing to do with this message, whose client would take a status for an answer.
        return [account for account in super()._chosen(program) if account[3] == "stdin"]

    def _holds_message(self) -> bool:
        return True

    def _receive(self, settings: dict[str, Any], spool: Spool | None) -> Letter:
        return self._message.receive(settings["maximum-size"], spool)

    def _take_over(self, settings: dict[str, Any]) -> None:
        super()._take_over(settings)
        if self.entry is not None:
            # It is durable: the client need not wait for its deliveries.
            self._taken()

    def _refuse(self, reason: str = "") -> int:
        if reason:
            self.reason = reason
            self.log.warn(reason)
        return SUCCESS if self.entry is not None else EX_TEMPFAIL

    def _session(self, program: Program, me: User, path: str) -> Session:
        self._served = ServeSession(program, self.options, self.log, me, path)
        self._served.agent = self._agent
        if self.handed is None:
            try:
                self.handed = self._receive(program[0], None).whole
            except Failure as failure:
                self.handed = failure
        return self._served

    def _queued(self, status: int) -> int:
        stopping.over = True
        return status

    def settle(self, status: int, heard: bool) -> None:
        """Forget the message that `run` gave this status. Or, where its client does not know that and brings it again:
        that copy shall find out what is done with this one."""
        if heard:
            super()._queued(status)
        elif self.entry is not None:
            self._served_again()
        elif status == SUCCESS and self._served is not None:
            self._served.write_down()

    def _served_again(self) -> None:
        """A message of the queue whose client was not told: as if its taker had been killed."""
        if self.at_end is not None and self._served is not None:
            self._served.again = True
            self.at_end()


class ServeSession(Session):
    """The accounts of one message."""

    def __init__(self, program: Program, options: Options, log: Log, me: User, config: str) -> None:
        super().__init__(program, options, log, me, config)
        self.agent: Agent | None = None
        self._runs: list[_Run] = []

    def begin(self, account: Account, now: float) -> AccountRun:
        run = _Run(self, account, now, self.agent)
        self._runs.append(run)
        return run

    def write_down(self) -> None:
        """Keep a record of the last delivery too, which a message that is done with does without."""
        for run in self._runs:
            run.write_down()

    def close(self) -> None:
        """Let go of the records of this message."""
        for run in self._runs:
            run.close()


class _Run(AccountRun):
    def __init__(self, session: Session, account: Account, now: float, agent: Agent | None) -> None:
        super().__init__(session, account, now)
        self._driver = self.driver = ServeDriver(self.world, dict(session.program[1]), session.who, agent)
        self._kept: list[Progress] = []

    def write_down(self) -> None:
        if self._driver.steps is not None:
            self._driver.steps.save()

    def close(self) -> None:
        for progress in self._kept:
            progress.close()

    def _earlier(self, whole: Any, entry: Entry | None) -> Progress | None:
        return self._noted(super()._earlier(whole, entry))

    def _begin(self, whole: Any, entry: Entry | None) -> Progress:
        progress = super()._begin(whole, entry)
        self._noted(progress)
        return progress

    def _noted(self, progress: Progress | None) -> Progress | None:
        if progress is not None:
            self._kept.append(progress)
        return progress
