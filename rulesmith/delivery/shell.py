"""Starting `/bin/sh -c COMMAND`: cheaply as ourselves, by fork where the user changes."""

from __future__ import annotations

import _signal
import errno
import fcntl
import posix
import select
import time

from rulesmith import environment
from rulesmith.delivery.privileges import must_switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    Started = tuple[int, int, int]

_SHELL = b"/bin/sh"
# Seconds between two looks at a process that cannot be waited for with a limit.
_PAUSE = 0.01
# Octets that a pipe holds without being asked to, and at most (proc(5), pipe-max-size).
_PIPE, _LARGE_PIPE = 1 << 16, 1 << 20
_F_SETPIPE_SZ = 1031  # <fcntl.h>; the module has it only where it was compiled against it
# What fdm sets back to its default, and what Python ignores.
_DEFAULT = (
    _signal.SIGHUP,
    _signal.SIGINT,
    _signal.SIGTERM,
    _signal.SIGPIPE,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGCHLD,
    _signal.SIGXFSZ,
)


def start(
    command: bytes, stdin: bytes | None, user: tuple[bytes, int, int, bytes], umask: int, listens: bool
) -> Started:
    """(pid, our ends of standard output and error); -1 where that is /dev/null. Raises OSError.

    `stdin` is there to its end before the command is: should we be killed, it does not take half a message for a
    whole one. None is /dev/null. `listens`: standard output is a pipe. The command leads its own session and process
    group, whose number is the pid.
    """
    if _signal.getsignal(_signal.SIGCHLD) != _signal.SIG_DFL:
        # Whoever started us ignores its children; then the kernel would throw our command's status away.
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    opened: list[int] = []
    try:
        read_in = _null(posix.O_RDONLY, opened) if stdin is None else _holding(stdin, opened)
        read_out, write_out = _pipe(opened) if listens else (-1, _null(posix.O_WRONLY, opened))
        read_error, write_error = _pipe(opened)
        theirs = (read_in, write_out, write_error)
        pid = _fork(command, theirs, user, umask) if must_switch(user) else _spawn(command, theirs, umask)
    except BaseException:
        for descriptor in opened:
            posix.close(descriptor)
        raise
    for descriptor in theirs:
        posix.close(descriptor)
    return pid, read_out, read_error


def signal_group(pid: int, number: int) -> None:
    """Signal every process of the command that is left."""
    try:
        posix.killpg(pid, number)
    except ProcessLookupError:
        pass


def has_ended(pid: int, seconds: float) -> bool:
    """Whether the command, not yet reaped, ends within so many seconds."""
    try:
        watch = posix.pidfd_open(pid)
    except OSError:
        # An old kernel, or one that is not told of this call: look every now and then.
        until = time.monotonic() + seconds
        while posix.waitid(posix.P_PID, pid, posix.WEXITED | posix.WNOHANG | posix.WNOWAIT) is None:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        return True
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))
    finally:
        posix.close(watch)


def _spawn(command: bytes, theirs: tuple[int, int, int], umask: int) -> int:
    before = posix.umask(umask)
    try:
        return posix.posix_spawn(
            _SHELL,
            [b"sh", b"-c", command],
            environment.variables(),
            file_actions=[(posix.POSIX_SPAWN_DUP2, ours, number) for number, ours in enumerate(theirs)],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULT,
        )
    finally:
        posix.umask(before)


def _fork(command: bytes, theirs: tuple[int, int, int], user: tuple[bytes, int, int, bytes], umask: int) -> int:
    """As another user; that posix_spawn(3) cannot. What goes wrong before the exec comes back as an errno."""
    opened: list[int] = []
    news, tell = _pipe(opened)
    pid = posix.fork()
    if not pid:
        code = errno.EIO
        try:
            from rulesmith.delivery.other_user import switch  # root's commands only

            posix.setsid()
            for number, ours in enumerate(theirs):
                posix.dup2(ours, number)
            posix.umask(umask)
            for number in _DEFAULT:
                _signal.signal(number, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
            switch(user)
            posix.execve(_SHELL, [b"sh", b"-c", command], environment.variables())
        except OSError as error:
            code = error.errno or code
        finally:
            posix.write(tell, code.to_bytes(2, "little"))
            posix._exit(127)  # noqa: SLF001  # documented as os._exit
    posix.close(tell)
    try:
        answer = posix.read(news, 2)
    finally:
        posix.close(news)
    if answer:
        posix.waitpid(pid, 0)
        code = int.from_bytes(answer, "little")
        raise OSError(code, posix.strerror(code))
    return pid


def _pipe(opened: list[int]) -> tuple[int, int]:
    read, write = posix.pipe()
    pair = _above(read), _above(write)
    opened += pair
    return pair


def _holding(octets: bytes, opened: list[int]) -> int:
    """A descriptor that gives these octets and then ends: a pipe if they fit, else a file without a name."""
    if len(octets) <= _LARGE_PIPE:
        read, write = _pipe([])
        try:
            if len(octets) > _PIPE:
                fcntl.fcntl(write, _F_SETPIPE_SZ, len(octets))
            posix.set_blocking(write, False)
            if posix.write(write, octets) == len(octets):
                opened.append(read)
                return read
        except OSError:
            # A user may have only so much of large pipes; a file has to do.
            pass
        finally:
            posix.close(write)
        posix.close(read)
    from rulesmith.delivery import spool  # few messages are so long

    found = spool.open_private((octets,))
    if found is None:
        raise OSError(errno.ENOSPC, "no room for the message in TMPDIR")
    opened.append(_above(found.descriptor))
    return opened[-1]


def _null(how: int, opened: list[int]) -> int:
    descriptor = _above(posix.open("/dev/null", how | posix.O_CLOEXEC))
    opened.append(descriptor)
    return descriptor


def _above(descriptor: int) -> int:
    """The same file above the standard descriptors: where one of those was closed at our start, it may be taken."""
    if descriptor > 2:
        return descriptor
    higher = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    posix.close(descriptor)
    return int(higher)
