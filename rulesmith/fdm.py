"""The door that takes fdm's place: `fdm [options] fetch|poll|cache`, once per message.

Nothing here may load what a message does not need: a compiled program (delivery/program_file.py) stands for
the configuration, and lark, click and the compiler are loaded only when there is none.
"""

from __future__ import annotations

import _signal
import posix
import sys

from rulesmith import environment
from rulesmith.effects import Failure, Stopped, stopping
from rulesmith.limits import STOP_GRACE
from rulesmith.log import Log, occupy
from rulesmith.options import FDM_EXIT_STATUS, USAGE, Options, UsageError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from rulesmith.delivery.entry import Entry
    from rulesmith.delivery.spool import Spool
    from rulesmith.mda import Session
    from rulesmith.program import Account, Program
    from rulesmith.sources.stdin import Letter

    User = tuple[bytes, int, int, bytes]

SUCCESS, ERROR, EX_TEMPFAIL = 0, 1, 75
# Seconds of silence after which a message that will be refused anyway is no longer waited for.
_DRAIN_SECONDS = 900
# The signals that fdm takes for a wish to stop.
_STOPS = {int(_signal.SIGINT): "SIGINT", int(_signal.SIGTERM): "SIGTERM"}


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status, 0, 1, 69 or 75 (README, "Exit status")."""
    words = sys.argv[1:] if arguments is None else arguments
    occupy((1, 2))
    try:
        options = parse(words)
    except UsageError as error:
        text = str(error)
        if text:
            Log().warn("fdm: " + text)
        Log().warn(USAGE)
        if error.options.check or error.options.command in ("poll", "cache"):
            return ERROR
        return _refuse(FDM_EXIT_STATUS in words)
    ident = sys.argv[0].rpartition("/")[2] or "fdm"
    log = Log(options.verbose, options.quiet, ident if options.syslog else None)
    return Door(options, log, ident, words).run()


def end(status: int) -> NoReturn:
    """End the process with the next call of the system.

    A message that is done with has just been forgotten, and who is killed before he has an exit status gets it again;
    taking the interpreter apart would make that moment long. Nothing is left in a buffer: log lines and messages are
    written with write(2).
    """
    posix._exit(status)  # noqa: SLF001  # documented as os._exit


def stop(number: int, _: object) -> None:
    """SIGTERM or SIGINT: end now, or when the delivery under way has had its moment."""
    if stopping.over:
        return
    first, stopping.asked = not stopping.asked, stopping.asked or _STOPS[number]
    if not stopping.held:
        stopping.heed()
    elif first:
        _signal.signal(_signal.SIGALRM, _late)
        # Whoever has started us may have blocked it.
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGALRM,))
        _signal.setitimer(_signal.ITIMER_REAL, STOP_GRACE)


def _late(_number: int, _: object) -> None:
    stopping.heed()


class Door:
    """One run: what it was called with, and, where there is a queue, the message that it has taken over.

    `entry` is given for a message that is tried again; standard input is not looked at then. With `release` the
    message goes to the problem mailbox, and no rule is tried.
    """

    def __init__(
        self,
        options: Options,
        log: Log,
        ident: str,
        words: list[str],
        entry: Entry | None = None,
        release: bool = False,
    ) -> None:
        self.options = options
        self.log = log
        self.ident = ident
        self.words = words
        self.fetching = options.command == "fetch"
        self.entry = entry
        self.again = entry is not None
        self.release = release
        self.handed: Callable[[], bytes] | Failure | None = None if entry is None else entry.raw
        self.at_end: Callable[[], None] | None = None
        self.answer: int | None = None  # what became of the message on standard input
        self.reason = ""

    def run(self) -> int:
        """The exit status, whatever happens."""
        for number in _STOPS:
            _signal.signal(number, stop)
        try:
            status = self._run()
        except Stopped as signal:
            self.log.warn(f"parent: caught {signal}. stopping")
            if self.at_end is not None:
                return self._queued(SUCCESS)
            if self.entry is not None:
                # No try: nothing is to blame, and it goes on where it was.
                return self._queued(SUCCESS)
            if self.answer is not None:
                return self.answer
            return EX_TEMPFAIL if self.fetching and not self.options.fdm_status else ERROR
        except Exception as error:
            # A fault of ours: the message stays with the caller, and the log says where to look.
            import traceback  # never loaded in a healthy run

            for line in traceback.format_exc().splitlines():
                self.log.warn(line)
            self.reason = f"a fault in rulesmith: {type(error).__name__}: {error}"
            if self.answer is None:
                status = self._refuse() if self.fetching and not self.options.check else ERROR
            else:
                status = self.answer
        if self.entry is not None and self.entry.open:
            from rulesmith import unread  # the rules have not seen the message

            unread.defer(self.entry, self.reason or "nothing has been done with it", self.log)
        return self._queued(status)

    def _queued(self, status: int) -> int:
        """The last thing before the caller hears our status. Nothing stops it: it would say that nothing was done."""
        stopping.over = True
        if self.at_end is not None:
            # Nothing comes between this and our end: who is killed in between has his message delivered again.
            self.at_end()
        elif self.entry is not None and not self.again:
            self.entry.tell()
        return status

    def _refuse(self, reason: str = "") -> int:
        """Nothing can be done: read what was handed to us, and ask for it again later."""
        if reason:
            self.reason = reason
            self.log.warn(reason)
        if self.entry is not None:
            return SUCCESS
        return _refuse(self.options.fdm_status)

    def _run(self) -> int:
        import pwd  # cheap; here so that usage errors need nothing

        options, log = self.options, self.log
        try:
            person = pwd.getpwuid(posix.getuid())
        except KeyError:
            reason = f"unknown user: {posix.getuid()}"
            if self.fetching:
                return self._refuse(reason)
            log.warn(reason)
            return ERROR
        home = environment.variable(b"HOME") if options.home_from_environment else None
        if home is None:
            home = environment.octets_of(person.pw_dir)
        me = (environment.octets_of(person.pw_name), person.pw_uid, person.pw_gid, home)
        path = options.config or _default_config(environment.text_of(home))
        program, settings = self._load(path, me)
        if self.fetching and settings["queue"] and self.handed is None and _is_for_stdin(program, options):
            from rulesmith.delivery import queue  # most configurations have none

            try:
                self._take_over(settings)
            except queue.Delivered:
                log.warn("this message was delivered (or dropped) from the queue, after its first taker was killed")
                return SUCCESS
        if program is None:
            self.reason = f"{path}: the configuration cannot be used"
            return self._refuse() if self.fetching else ERROR
        if options.check:
            return SUCCESS
        if not program[2]:
            return self._no("no accounts specified")
        if options.command == "cache":
            from rulesmith import cache_command  # rare, and loads sqlite3

            try:
                return cache_command.run(options.arguments, [path for path, _ in program[1]], log)
            except cache_command.CacheUsage:
                log.warn(USAGE)
                return ERROR
        if self.fetching and not program[4]:
            return self._refuse("no rules specified")
        folder = environment.variable(b"TMPDIR")
        if folder and (why := _why_no_folder(folder)):
            # Nothing of ours lies there, but commands of the rules may count on it.
            log.warn(f"{environment.text_of(folder)}: {why}")
        return self._with_lock(program, me, path)

    def _load(self, path: str, me: User) -> tuple[Program | None, dict[str, Any]]:
        from rulesmith.load import load_program  # the compiler's door

        return load_program(path, self.options, self.log, me)

    def _holds_message(self) -> bool:
        from rulesmith.sources import stdin

        return stdin.holds_message()

    def _receive(self, settings: dict[str, Any], spool: Spool | None) -> Letter:
        """Read the message to its end. Raises Failure."""
        from rulesmith.sources import stdin

        return stdin.receive(settings["maximum-size"], settings["timeout"], spool)

    def _take_over(self, settings: dict[str, Any]) -> None:
        """Read the message into the queue: from then on it is ours, whatever happens."""
        from rulesmith.delivery import queue  # loaded already

        if not self._holds_message():
            return
        context = queue.this_call(environment.octets_of(self.ident), self.words)
        try:
            letter, self.entry, why = queue.take(
                settings["queue"], context, lambda spool: self._receive(settings, spool)
            )
        except Failure as failure:
            self.handed = failure
            return
        finally:
            stopping.held = False
        stopping.heed()
        # Where the caller hands the message over again, the copy that is there already may be further. And who has
        # a file of the message must know when the scanned text takes its place.
        is_ours = self.entry is None or (self.entry.context is context and letter.in_memory)
        self.handed = letter.whole if is_ours or self.entry is None else self.entry.raw
        if self.entry is None:
            self.log.warn(f"the queue cannot take the message: {why}")

    def _session(self, program: Program, me: User, path: str) -> Session:
        from rulesmith.mda import Session

        return Session(program, self.options, self.log, me, path)

    def _no(self, reason: str) -> int:
        """The configuration does not allow it."""
        if self.fetching:
            return self._refuse(reason)
        self.log.warn(reason)
        return ERROR

    def _with_lock(self, program: Program, me: User, path: str) -> int:
        settings = program[0]
        lock = None
        if not (self.options.multiple or settings["allow-multiple"]):
            from rulesmith.delivery import locks  # runs with -m or `set allow-multiple` need none

            file = settings["lock-file"]
            if file is None:
                file = locks.default_path(me)
            if file:
                try:
                    lock = locks.take(file, settings["lock-wait"], settings["lock-timeout"])
                except Failure as failure:
                    return self._no(failure.text)
        try:
            return self._accounts(program, me, path)
        finally:
            if lock is not None:
                lock.release()

    def _chosen(self, program: Program) -> list[Account]:
        from rulesmith.mda import select

        chosen = select(program[2], self.options)
        return [account for account in chosen if account[3] == "stdin"] if self.again else chosen

    def _accounts(self, program: Program, me: User, path: str) -> int:
        options = self.options
        chosen = self._chosen(program)
        if not chosen:
            return self._no("no accounts found")
        session = self._session(program, me, path)
        if options.command == "poll":
            return max(session.poll(account) for account in chosen)
        if sum(account[3] == "stdin" for account in chosen) > 1:
            return self._refuse("several accounts read standard input, which holds one message: select one with -a")
        if me[1] == 0 and program[0]["default-user"] is None and options.user is None:
            return self._refuse("root must say who delivers: add `set default-user` to the configuration, or use -u")
        session.handed, session.entry = self.handed, self.entry
        session.again, session.release = self.again, self.release
        # fdm starts its accounts in reverse order of definition; the worst of their statuses is the run's.
        status = SUCCESS
        for account in reversed(chosen):
            found = session.fetch(account)
            self.at_end = session.at_end
            if account[3] == "stdin" and not options.fdm_status:
                # The caller asks what became of its message; folders keep theirs, whatever happens.
                self.answer = found
            status = max(status, found)
        if options.fdm_status:
            return min(status, ERROR)
        return status if self.answer is None else self.answer


def _refuse(fdm_status: bool) -> int:
    """Read standard input to its end; the status that keeps the message with the caller."""
    from rulesmith.sources import stdin  # most runs have already read it

    if not stdin.holds_message():
        return ERROR
    stdin.drain(_DRAIN_SECONDS)
    return ERROR if fdm_status else EX_TEMPFAIL


def _is_for_stdin(program: Program | None, options: Options) -> bool:
    """Whether this run hands a message over; supposed where the configuration cannot tell."""
    if program is None:
        return True
    from rulesmith.mda import select

    chosen = select(program[2], options)
    return not chosen or any(account[3] == "stdin" for account in chosen)


def _why_no_folder(folder: bytes) -> str:
    """Why a path is no folder; "" where it is one."""
    try:
        mode = posix.stat(folder).st_mode
    except OSError as error:
        return posix.strerror(error.errno or 0)
    from _stat import S_ISDIR  # most runs ask for no mode

    return "" if S_ISDIR(mode) else "Not a directory"


def _default_config(home: str) -> str:
    """HOME/.fdm.conf if it can be read, else /etc/fdm.conf (fdm(1), FILES)."""
    path = home + "/.fdm.conf"
    return path if posix.access(path, posix.R_OK) else "/etc/fdm.conf"


if __name__ == "__main__":
    end(main())
