"""Shell commands of `exec`, `pipe` and `rewrite`, actions and conditions (fdm.conf(5)).

`/bin/sh -c COMMAND` in a session of its own, with fdm's working directory and environment, `file-umask`, default
signals and no descriptor of ours but the three standard ones.
"""

from __future__ import annotations

import _signal
import posix
import select
import time

from rulesmith.delivery import shell
from rulesmith.delivery.folders import text_of
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.delivery.world import World

# Large enough that malloc gives each its own pages, which go back to the system when it is freed.
_CHUNK = 1 << 18
# A line of standard error longer than this is logged in pieces, so that chatter cannot fill the memory.
_LOG_LINE = 1 << 16
# Seconds a command has between SIGTERM and SIGKILL.
_GRACE = 1.0
_ENDS = (_signal.SIGINT, _signal.SIGTERM)


def run(
    command: bytes,
    stdin: bytes | None,
    user: tuple[bytes, int, int, bytes],
    world: World,
    output: bool,
    until: Callable[[bytes], bool] | None = None,
) -> tuple[int | None, bytes]:
    """Run a command to its end: (exit status, standard output).

    `stdin` None is /dev/null; a command that does not read it is no error. Without `output` and `until` standard
    output is thrown away. `until` gets each line (without LF, and without CR before it) and stops the command by
    returning True: the status is None then. Each line of standard error becomes a warning when it arrives.

    Returns when the command has ended and nobody holds its standard output and error open any more, as fdm does.
    Raises Failure for death by a signal, more than `maximum-size` octets of output, and after `timeout` seconds
    in total; then every process of the command is killed.
    """
    deadline = time.monotonic() + world.settings["timeout"]
    umask, listens = world.settings["file-umask"], output or until is not None
    running = None
    # A signal that ends us has to find the command in our hands.
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _ENDS)
    try:
        pipes = shell.start(command, stdin, user, umask, listens)
        running = _Running(command, pipes, world, until)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        stopped = running.talk(deadline)
        status = None if stopped else running.wait(deadline)
    except OSError as error:
        raise Failure(f"{text_of(command)}: {error.strerror}") from None
    finally:
        if running is not None:
            running.end()
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    if status is None:
        return None, b""
    if posix.WIFSIGNALED(status):
        raise Failure(f"{text_of(command)}: child got signal: {posix.WTERMSIG(status)}")
    return posix.WEXITSTATUS(status), b"".join(running.output)


class _Running:
    """A command that has been started, and our ends of its pipes."""

    __slots__ = (
        "_command",
        "_errors",
        "_lines",
        "_maximum",
        "_pid",
        "_pipes",
        "_poll",
        "_size",
        "_until",
        "_world",
        "output",
    )

    def __init__(
        self,
        command: bytes,
        started: shell.Started,
        world: World,
        until: Callable[[bytes], bool] | None,
    ) -> None:
        self._command = command
        self._world = world
        self._until = until
        self._maximum: int = world.settings["maximum-size"]
        self._pid, *ends = started
        self._pipes: list[int] = ends  # standard output, error; -1 when closed
        self._poll = select.poll()
        self._size = 0
        self._lines = bytearray()  # the unfinished line of output, for `until`
        self._errors = b""  # the unfinished line of standard error
        self.output: list[bytes] = []
        for descriptor in ends:
            if descriptor >= 0:
                posix.set_blocking(descriptor, False)
                self._poll.register(descriptor, select.POLLIN)

    def talk(self, deadline: float) -> bool:
        """Listen until both pipes are closed; True when `until` has heard enough. Raises Failure."""
        while self._pipes != [-1, -1]:
            for descriptor, _ in self._ready(deadline):
                # A pipe that was closed since the poll is not in the list any more.
                if descriptor == self._pipes[1]:
                    self._hear()
                elif descriptor == self._pipes[0] and self._take():
                    return True
        return False

    def wait(self, deadline: float) -> int:
        """The status as waitpid(2) gives it. Raises Failure when the time is over."""
        if not shell.has_ended(self._pid, deadline - time.monotonic()):
            raise self._late()
        status = posix.waitpid(self._pid, 0)[1]
        self._pid = 0
        return status

    def end(self) -> None:
        """Close what is open; a command that still runs gets SIGTERM, and SIGKILL when that does not help."""
        for index in range(2):
            self._close(index)
        if not self._pid:
            return
        shell.signal_group(self._pid, _signal.SIGTERM)
        shell.has_ended(self._pid, _GRACE)
        # Before the shell is reaped, so that its process group is certainly still its own.
        shell.signal_group(self._pid, _signal.SIGKILL)
        posix.waitpid(self._pid, 0)
        self._pid = 0

    def _ready(self, deadline: float) -> list[tuple[int, int]]:
        found = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        # A command that talks without end is late as well.
        if not found or time.monotonic() >= deadline:
            raise self._late()
        return found

    def _late(self) -> Failure:
        return self._failure(f"io: poll: Connection timed out; killed after {self._world.settings['timeout']} seconds")

    def _hear(self) -> None:
        """Standard error, line by line, into the log."""
        chunk = posix.read(self._pipes[1], _CHUNK)
        if chunk:
            *lines, self._errors = (self._errors + chunk).split(b"\n")
            if len(self._errors) >= _LOG_LINE:
                lines.append(self._errors)
                self._errors = b""
        else:
            lines = [self._errors] if self._errors else []
            self._close(1)
        for line in lines:
            self._world.warn(self._command + b": " + line.removesuffix(b"\r"))

    def _take(self) -> bool:
        """Standard output; True when `until` is satisfied."""
        chunk = posix.read(self._pipes[0], _CHUNK)
        if not chunk:
            self._close(0)
            return bool(self._lines) and self._enough(bytes(self._lines))
        self._size += len(chunk)
        if self._until is None:
            self.output.append(chunk)
            if self._size > self._maximum:
                raise self._failure("oversize mail returned")
            return False
        self._lines += chunk
        if len(self._lines) > self._maximum + _CHUNK:
            raise self._failure("io: maximum line length exceeded")
        if b"\n" not in chunk:
            return False
        *lines, rest = bytes(self._lines).split(b"\n")
        self._lines = bytearray(rest)
        return any(self._enough(line) for line in lines)

    def _enough(self, line: bytes) -> bool:
        line = line.removesuffix(b"\r")
        self._world.trace("command-output", self._command, line)
        return self._until is not None and self._until(line)

    def _failure(self, text: str) -> Failure:
        return Failure(f"{text_of(self._command)}: {text}")

    def _close(self, index: int) -> None:
        descriptor = self._pipes[index]
        if descriptor >= 0:
            self._poll.unregister(descriptor)
            posix.close(descriptor)
            self._pipes[index] = -1
