"""The `write` and `append` actions: the message in a file, without separator and without lock (fdm.conf(5))."""

from __future__ import annotations

import errno
import os
import select
import stat
import time

from rulesmith.delivery import folders
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

# Seconds between looks whether somebody has opened the FIFO for reading.
_READER_PAUSE = 0.02


def deliver(
    args: tuple[bytes, str], raw: bytes, user: tuple[bytes, int, int, bytes], world: World
) -> dict[bytes, bytes]:
    """Store `raw` in the file `args[0]`; `args[1]` is "write" or "append". Raises Failure.

    Folders are not created. The file gets mode 0666 less the umask. A FIFO or a terminal is waited for as long
    as `timeout` says.
    """
    path, word = args
    if not path:
        raise Failure("empty command")  # fdm's words
    world.trace("appending" if word == "append" else "writing", path)
    until = time.monotonic() + world.settings["timeout"]
    umask = os.umask(world.settings["file-umask"])
    try:
        descriptor, created = _open(path, os.O_APPEND if word == "append" else os.O_TRUNC, until)
    except OSError as error:
        raise folders.refusal(path, error, "fopen") from None
    finally:
        os.umask(umask)
    step = "fwrite"
    written = [0]
    try:
        write_within(descriptor, raw, until, written)
        step = "fsync"
        folders.sync_file(descriptor)
        if created:
            folders.sync_folder(folders.parent_of(os.path.realpath(path)))
    except OSError as error:
        # A piece of a message is no message, and the next one would follow it in the same line.
        _take_back(descriptor, written[0])
        raise folders.refusal(path, error, step) from None
    finally:
        os.close(descriptor)
    return {}


def _take_back(descriptor: int, written: int) -> None:
    """Remove what was just written, unless somebody has written behind it."""
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == status.st_size:
            os.ftruncate(descriptor, status.st_size - written)
    except OSError:
        # The failure that led here is the one to tell.
        pass


def _open(path: bytes, how: int, until: float) -> tuple[int, bool]:
    """The open file, and whether it is new. Without O_NONBLOCK a FIFO that nobody reads would hold us for ever."""
    flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | how
    while True:
        try:
            return os.open(path, flags), False
        except FileNotFoundError:
            return os.open(path, flags | os.O_CREAT, folders.FILE_MODE), True
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if time.monotonic() >= until:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        time.sleep(_READER_PAUSE)


def write_within(descriptor: int, raw: bytes, until: float, written: list[int] | None = None) -> None:
    """Write every octet before the monotonic time `until`; how many were written is added to the first of `written`.

    Raises OSError, TimeoutError among them.
    """
    rest = memoryview(raw)
    while rest:
        try:
            count = os.write(descriptor, rest)
            rest = rest[count:]
            if written is not None:
                written[0] += count
        except BlockingIOError:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            if not poll.poll(max(0, until - time.monotonic()) * 1000):
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
