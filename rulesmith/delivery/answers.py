"""When things outside last worked: a file for each, in the queue, whose time says it.

What failed for one message may have failed for many. The first one it works for tells the others; and a message
that fails while others get through by the same way has a fault of its own, and may wait longer.
"""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = b"/answered"


def mark(queue: bytes, causes: Iterable[bytes]) -> None:
    """These have just worked. What cannot be noted only costs a later try."""
    if _is_of_somebody_else(queue):
        # Files of root's are of no use to him; his own processes note it as well.
        return
    for cause in causes:
        path = queue + _FOLDER + b"/" + cause
        try:
            _touch(queue + _FOLDER, path)
        except OSError:
            return


def _touch(folder: bytes, path: bytes) -> None:
    try:
        posix.utime(path)
        return
    except FileNotFoundError:
        pass
    try:
        posix.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    posix.close(posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600))


def _is_of_somebody_else(queue: bytes) -> bool:
    try:
        return posix.stat(queue).st_uid != posix.geteuid()
    except OSError:
        return True


def last(queue: bytes, cause: bytes) -> float:
    """When it last worked (Unix time); 0 where that is not known."""
    try:
        return posix.stat(queue + _FOLDER + b"/" + cause).st_mtime
    except (OSError, ValueError):
        return 0.0


def prune(queue: bytes, before: float) -> None:
    """Forget what has not worked since that Unix time."""
    try:
        for each in posix.scandir(queue + _FOLDER):
            if each.stat().st_mtime < before:
                posix.unlink(each.path)
    except OSError:
        return
