"""`queue run`: tries the messages of the queue again, each in a process of its own, until it is told to stop.

What one message waits for is tried by one process at a time, so that messages reach a mailbox in the order in which
they came. Different things are tried at the same time: one that hangs holds up nobody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

from rulesmith import unread
from rulesmith.delivery import answers, other_user, queue, schedule
from rulesmith.delivery.entry import MAIL, PROGRESS, TAKEN, Entry
from rulesmith.delivery.progress import Unreadable
from rulesmith.effects import stopping
from rulesmith.fdm import Door
from rulesmith.limits import GHOST_SECONDS
from rulesmith.log import Log
from rulesmith.options import UsageError, parse
from rulesmith.queue_states import State, states

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# Processes at the same time.
_WORKERS = 16
# Seconds between two looks into the folder.
_LOOK = 1.0
# Seconds that a message nobody has tried yet may keep those behind it waiting.
_FRESH = 5.0
# Seconds that processes have to end after SIGTERM, of the two that we have.
_GRACE = 1.7
# Seconds: how often leftovers are swept up, how old those are, how long an answer is remembered.
_SWEEP, _LEFTOVER, _REMEMBERED = 3600, 3600, 7 * 86400


class Runner:
    """Works on one queue. `say` gets a line for each try that has ended; `clock` is Unix time."""

    def __init__(self, folder: bytes, say: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self.say = say
        self.clock = clock
        self.release = False
        self._working: dict[int, tuple[State, int, float]] = {}  # pidfd: message, pid, monotonic start
        self._busy: dict[bytes, float] = {}  # what others work on, or must wait: look again then
        self._unnoted: dict[bytes, int] = {}  # how often a try could not be written down
        self._stop = False
        self._swept = 0.0

    def forever(self) -> None:
        """Until SIGTERM or SIGINT; what is under way then is brought to a safe point."""
        with _signals(self._ask_to_stop) as wake:
            while not self._stop:
                now = self.clock()
                if not 0 <= now - self._swept < _SWEEP:
                    self._swept = now
                    sweep(self.folder, now)
                self._start(self._due(now))
                self._wait(wake, _LOOK)
            self._end_all()

    def once(self, wanted: Collection[bytes] | None = None) -> list[bytes]:
        """Try every message, or those `wanted`, one time; those that are left, of all or of those."""
        tried: set[bytes] = set()
        with _signals(self._ask_to_stop) as wake:
            sweep(self.folder, self.clock())
            while not self._stop:
                rest = [
                    state
                    for state in self._look()
                    if state.name not in tried and (wanted is None or state.name in wanted)
                ]
                tried |= self._start(rest)
                if self._working:
                    self._wait(wake, _LOOK)
                elif not rest or all(state.name in self._busy for state in rest):
                    break
            self._end_all()
        return [state.name for state in self._look() if wanted is None or state.name in wanted]

    def _look(self) -> list[State]:
        try:
            return list(states(self.folder))
        except OSError as error:
            self.say(f"{os.fsdecode(self.folder)}: {error.strerror}")
            return []

    def _due(self, now: float) -> list[State]:
        """Whose time has come, oldest first."""
        found = self._look()
        groups: dict[bytes, list[State]] = {}
        for state in found:
            groups.setdefault(state.cause, []).append(state)
        names: set[bytes] = set()
        for cause, group in groups.items():
            answered = answers.last(self.folder, cause) if cause else 0.0
            names.update(each.name for each in schedule.due([state.waiting() for state in group], answered, now))
        return [state for state in found if state.name in names]

    def _start(self, wanted: list[State]) -> set[bytes]:
        """Start what may be worked on now; the names."""
        started: set[bytes] = set()
        at = time.monotonic()
        taken = {state.cause for state, _, since in self._working.values() if state.cause or at - since < _FRESH}
        names = {state.name for state, _, _ in self._working.values()}
        for state in wanted:
            if len(self._working) >= _WORKERS or self._stop:
                break
            if state.cause in taken or state.name in names or at < self._busy.get(state.name, 0.0):
                continue
            try:
                entry = queue.open_entry(self.folder, state.name)
            except BlockingIOError:
                self._busy[state.name] = at + _LOOK
                continue
            except FileNotFoundError:
                continue
            except (OSError, Unreadable) as error:
                self._busy[state.name] = at + schedule.LONGEST
                self.say(f"{state.name.decode()}: cannot be read: {error}")
                continue
            self._busy.pop(state.name, None)
            taken.add(state.cause)
            started.add(state.name)
            pid = os.fork()
            if not pid:
                _work(entry, self.release)
            self._working[os.pidfd_open(pid)] = (state, pid, at)
            entry.close()
        return started

    def _wait(self, wake: int, seconds: float) -> None:
        """Until a process ends, a signal comes or the time is over."""
        poll = select.poll()
        for descriptor in (wake, *self._working):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(seconds * 1000):
            if descriptor == wake:
                os.read(wake, 64)
            else:
                self._ended(descriptor)

    def _ended(self, descriptor: int) -> None:
        """A try is over: say how, and let others know what it shows."""
        state, pid, _ = self._working.pop(descriptor)
        os.close(descriptor)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status:
            self._note_death(state.name, status)
        name = state.name.decode()
        # With a summary the process has said so itself.
        told = not status and not self.release and bool(os.environ.get("RULESMITH_SUMMARY"))
        found = next((each for each in self._look() if each.name == state.name), None)
        if (
            state.cause
            and not self.release
            and (found is None or (found.cause != state.cause and found.tries > state.tries))
        ):
            answers.mark(self.folder, (state.cause,))
        wait = self._pause(state, found)
        if told:
            return
        if found is None:
            self.say(f"{name}: released" if self.release else f"{name}: delivered")
        elif not self._stop:
            reason = found.reason.decode("utf-8", "backslashreplace")
            self.say(f"{name}: deferred for {wait} seconds at most: {reason}")

    def _pause(self, before: State, found: State | None) -> int:
        """Seconds until a message whose try has ended is tried again, at most."""
        if found is None or found.tries > before.tries or self.release:
            self._unnoted.pop(before.name, None)
            return 0 if found is None or found.next is None else max(0, found.next - int(self.clock()))
        # Its file does not tell of this try (a full disk), so it is always due; and each try may repeat deliveries.
        number = self._unnoted[before.name] = self._unnoted.get(before.name, 0) + 1
        wait = schedule.pause(number)
        self._busy[before.name] = time.monotonic() + wait
        return wait

    def _note_death(self, name: bytes, status: int) -> None:
        """The process could not say what happened to it."""
        how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        try:
            entry = queue.open_entry(self.folder, name)
        except (OSError, Unreadable):
            return
        reason = f"the process that delivered it {how}"
        if os.geteuid() or not entry.owner:
            unread.defer(entry, reason, Log())
        else:
            # Its owner goes on with what is written down here, so he writes it.
            pid = os.fork()
            if not pid:
                _note_as_owner(entry, reason)
            os.waitpid(pid, 0)
        entry.close()

    def _ask_to_stop(self) -> None:
        self._stop = True

    def _end_all(self) -> None:
        """Stop what is under way; it ends at a safe point, or by force."""
        until = time.monotonic() + _GRACE
        for number in (signal.SIGTERM, signal.SIGKILL):
            for _, pid, _ in self._working.values():
                if self._stop:
                    os.kill(pid, number)
            while self._working and (not self._stop or time.monotonic() < until):
                self._wait_for_children(max(0.0, until - time.monotonic()) if self._stop else None)
        while self._working:
            self._wait_for_children(None)

    def _wait_for_children(self, seconds: float | None) -> None:
        poll = select.poll()
        for descriptor in self._working:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000):
            self._ended(descriptor)


@contextlib.contextmanager
def _signals(stop: Callable[[], None]):  # type: ignore[no-untyped-def]
    """SIGTERM and SIGINT call `stop`; gives a descriptor that can be read when one has come."""
    read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    wake = signal.set_wakeup_fd(write)
    try:
        yield read
    finally:
        signal.set_wakeup_fd(wake)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)


def _become(uid: int) -> None:
    person = pwd.getpwuid(uid)
    other_user.switch((os.fsencode(person.pw_name), person.pw_uid, person.pw_gid, b""))


def _note_as_owner(entry: Entry, reason: str) -> None:
    """In a process of its own. Does not return."""
    try:
        _become(entry.owner)
        unread.defer(entry, reason, Log())
    finally:
        os._exit(0)


def _work(entry: Entry, release: bool) -> None:
    """In a process of its own: the message through the door, called as it was at first. Does not return."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        stopping.forget()
        context = entry.context
        if not os.geteuid() and entry.owner:
            _become(entry.owner)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environb.update(context.variables)
        os.umask(context.umask)
        # What depends on a folder that is gone will say so.
        with contextlib.suppress(OSError):
            os.chdir(context.folder)
        words = [os.fsdecode(word) for word in context.words]
        ident = os.fsdecode(context.program)
        sys.argv = [ident, *words]
        try:
            options = parse(words)
        except UsageError as error:
            unread.defer(entry, f"the command line is not understood: {error}", Log())
        else:
            log = Log(options.verbose, options.quiet, ident if options.syslog else None)
            Door(options, log, ident, words, entry, release=release).run()
        status = 0
    finally:
        os._exit(status)


def sweep(folder: bytes, now: float) -> None:
    """Remove what processes left that were killed: messages that never arrived, records of messages that are gone."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = folder + b"/" + name
        base = name.removesuffix(b".new").removesuffix(PROGRESS)
        orphan = base != name and not any(os.path.lexists(folder + b"/" + base + suffix) for suffix in (MAIL, TAKEN))
        arriving = name[:1] == b"." and name[1:2].isdigit()
        age = GHOST_SECONDS if name.endswith(queue.GHOST) else _LEFTOVER
        if not (orphan or arriving or name.endswith((b".new", queue.GHOST))):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if now - os.fstat(descriptor).st_mtime > age:
                    os.unlink(path)
            finally:
                os.close(descriptor)
    answers.prune(folder, now - _REMEMBERED)
