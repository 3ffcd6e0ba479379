"""The clerk: reads every service's pipe and writes the one log of the container. `python -m rulesmith.container.clerk`

Each service writes into a pipe of its own in /run/log. A pipe is held open from both sides, so what a service says
while no clerk runs is read by the next one. Nobody waits long for the clerk, and the clerk waits for nobody: where the
log is not taken, lines are left out and counted. What fetchmail says becomes each user's state in /run/health.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rulesmith.container.lines import Line, Reading
from rulesmith.container.people import People
from rulesmith.container.pipes import Pipe
from rulesmith.container.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPES = "/run/log"
STATES = Path("/run/health")
HOMES = Path("/run/fetchmail")
# The clerk shows with this file's time that it lives.
HEARTBEAT = "clerk"
# Seconds between two looks for new pipes (a signal tells of most), states, heartbeats.
_LOOK, _STATE, _BEAT = 1.0, 1.0, 5.0
# ... and until a state that could not be written is tried again.
_TROUBLED = 60.0
# Looks after which a pipe that cannot be opened is named.
_SHUT = 3
# Octets of the log that may wait, and seconds that services may wait for them to be taken.
_BACKLOG, _PATIENCE = 1 << 18, 3.0
# What a pipe takes at once; so much can be written without waiting where anything can.
_AT_ONCE = 4096
# Seconds: how long everything has to be silent at the end, and how long the end may take.
_SILENCE, _END = 0.2, 1.2


class Clerk:
    """Reads until SIGTERM. `out` is where the log goes, a descriptor."""

    def __init__(self, pipes: str, states: Path, homes: Path, out: int, environment: Mapping[str, str]) -> None:
        self.folder = pipes
        self.out = out
        self.json = environment.get("RULESMITH_LOG") == "json"
        self.reading = Reading(
            private=bool(environment.get("RULESMITH_LOG_PRIVATE")),
            details=bool(environment.get("RULESMITH_LOG_DETAILS")),
        )
        self.people = People(states, self.reading.private)
        self.secrets = Secrets(homes)
        self.heartbeat = states / HEARTBEAT
        self._pipes: dict[str, Pipe] = {}
        self._shut: dict[str, int] = {}  # how often a pipe could not be opened
        self._backlog = bytearray()
        self._full_since: float | None = None
        self._lost = 0
        self._ending: float | None = None
        self._looked = self._stored = self._beaten = float("-inf")

    def run(self) -> None:
        """Until SIGTERM, and then until all is said."""
        wake = self._signals()
        quiet_since = time.monotonic()
        while True:
            now = time.monotonic()
            self._chores(now)
            ready = self._wait(wake)
            now = time.monotonic()
            if wake in ready:
                os.read(wake, 4096)
                self._looked = float("-inf")
            if self._read(ready, now):
                quiet_since = now
            self._write()
            if self._ending is not None and (
                now - self._ending > _END or (now - quiet_since > _SILENCE and not self._backlog)
            ):
                break
        self.people.store()

    def _signals(self) -> int:
        """A descriptor that can be read when a signal has come: the end, or a change in the folder of the pipes."""
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        signal.signal(signal.SIGINT, lambda *_: self._end())
        signal.signal(signal.SIGIO, lambda *_: None)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        # Where the kernel does not tell of changes, the look once a second finds them.
        with contextlib.suppress(OSError):
            fcntl.fcntl(
                folder, fcntl.F_NOTIFY, fcntl.DN_CREATE | fcntl.DN_DELETE | fcntl.DN_RENAME | fcntl.DN_MULTISHOT
            )
        return read

    def _end(self) -> None:
        self._ending = self._ending or time.monotonic()

    def _chores(self, now: float) -> None:
        if now - self._looked >= _LOOK:
            self._looked = now
            self._look(now)
        if now - self._stored >= _STATE:
            self._stored = now
            try:
                self.people.store()
            except OSError as error:
                self._stored = now + _TROUBLED
                self._put(Line("clerk", "", f"the users' states cannot be written: {error}"))
        if now - self._beaten >= _BEAT:
            self._beaten = now
            self.heartbeat.touch()

    def _look(self, now: float) -> None:
        """Open the pipes that are new, read those that are gone to their end."""
        self.secrets.look()
        found: dict[str, int] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    found[entry.name] = entry.inode()
        for name, pipe in list(self._pipes.items()):
            if found.get(name) != pipe.number:
                self._drain(name, pipe, now)
                pipe.close()
                del self._pipes[name]
                if name not in found:
                    self.people.forget(name)
        for name in sorted(found.keys() - self._pipes.keys()):
            try:
                self._pipes[name] = Pipe(f"{self.folder}/{name}")
            except FileNotFoundError:
                continue
            except OSError as error:
                # For a moment a new one is its maker's alone.
                tries = self._shut[name] = self._shut.get(name, 0) + 1
                if tries == _SHUT:
                    self._put(Line("clerk", "", f"{name}: {error.strerror or error}"))
                continue
            self._shut.pop(name, None)
            self.people.expect(name, time.time())

    def _wait(self, wake: int) -> set[int]:
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        if self._backlog:
            poll.register(self.out, select.POLLOUT)
        if self._full_since is None or self._dropping(time.monotonic()):
            for pipe in self._pipes.values():
                poll.register(pipe.descriptor, select.POLLIN)
        short = self._ending is not None or self._full_since is not None
        return {descriptor for descriptor, _ in poll.poll(100 if short else _LOOK * 1000)}

    def _read(self, ready: set[int], now: float) -> bool:
        """Whether anything was there."""
        any_line = False
        for name, pipe in self._pipes.items():
            if pipe.descriptor in ready:
                any_line = True
                for octets in pipe.read(now):
                    self._take(name, octets)
            rest = pipe.unfinished(now)
            if rest is not None:
                self._take(name, rest)
        return any_line

    def _drain(self, name: str, pipe: Pipe, now: float) -> None:
        while _ready(pipe.descriptor, select.POLLIN):
            for octets in pipe.read(now):
                self._take(name, octets)
        rest = pipe.unfinished(now, 0.0)
        if rest is not None:
            self._take(name, rest)

    def _take(self, name: str, octets: bytes) -> None:
        now = time.time()
        for line in self.reading.lines(name, octets, self.people.fetching(name), now):
            if line.mail is not None:
                self.people.count(line.user, line.mail)
            line.text = self.secrets.without(line.text)
            self._put(line)

    def _put(self, line: Line) -> None:
        if self._full_since is not None and self._dropping(time.monotonic()):
            self._lost += 1
            return
        self._backlog += written(line, self.json)
        if len(self._backlog) >= _BACKLOG and self._full_since is None:
            self._full_since = time.monotonic()

    def _dropping(self, now: float) -> bool:
        return self._full_since is not None and now - self._full_since > _PATIENCE

    def _write(self) -> None:
        """As much as is taken without waiting."""
        while self._backlog and _ready(self.out, select.POLLOUT):
            try:
                done = os.write(self.out, self._backlog[:_AT_ONCE])
            except BlockingIOError:
                break
            except OSError:
                # Nobody will ever read the log again; the states go on.
                self._backlog.clear()
                break
            del self._backlog[:done]
        if self._full_since is not None and len(self._backlog) < _BACKLOG // 2:
            self._full_since = None
            if self._lost:
                lost, self._lost = self._lost, 0
                self._put(Line("clerk", "", f"{lost} lines are missing here, because nobody read the log"))


def written(line: Line, as_json: bool) -> bytes:
    """A line in the form of the log."""
    when = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    if as_json:
        fields: dict[str, object] = {"time": when, "service": line.service}
        if line.user:
            fields["user"] = line.user
        fields["message"] = line.text
        if line.mail is not None:
            fields["mail"] = {name: value for name, value in line.mail.items() if name not in ("mail", "user")}
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    who = f"{line.service} {line.user}" if line.user else line.service
    return f"{when} {who}: {line.text}\n".encode("utf-8", "backslashreplace")


def _ready(descriptor: int, event: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(0))


def main() -> None:
    """Run the clerk of the container."""
    os.umask(0o022)
    try:
        Clerk(PIPES, STATES, HOMES, 1, os.environ).run()
    except FileNotFoundError as error:
        sys.exit(f"clerk: {error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
