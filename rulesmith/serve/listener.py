"""The unix socket that clients come to."""

from __future__ import annotations

import os
import socket

_BACKLOG = 128


class Taken(Exception):
    """Somebody else serves there."""


def listen(path: str, mode: int) -> socket.socket:
    """A listening socket at a path, of which nobody ever sees one that nobody listens to.

    One that a killed server has left is replaced. Raises Taken, OSError.
    """
    if _answers(path):
        raise Taken(path)
    fresh = f"{path}.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o777 & ~mode)
        try:
            listener.bind(fresh)
        finally:
            os.umask(before)
        try:
            os.chmod(fresh, mode)
            listener.listen(_BACKLOG)
            listener.setblocking(False)
            os.rename(fresh, path)
        except BaseException:
            os.unlink(fresh)
            raise
    except BaseException:
        listener.close()
        raise
    return listener


def remove(path: str, listener_inode: int) -> None:
    """Take the socket away at the end, if it is still ours."""
    try:
        if os.stat(path).st_ino == listener_inode:
            os.unlink(path)
    except OSError:
        # Somebody has removed it, or its folder: then it is gone as well.
        return


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True
