"""Locks: of mboxes (`lock-types`, `lock-timeout`) and of the whole program (`lock-file`, `lock-wait`)."""

from __future__ import annotations

import errno
import fcntl
import posix
import time

from rulesmith.delivery import folders
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Lock = TypeVar("Lock")

# Seconds between two tries are between this and twice this, by chance, so that two waiters do not keep step.
_PAUSE = 0.01
# fcntl locks do not hold against their own process: what it has locked, by device and inode.
_held: set[tuple[int, int]] = set()

_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


def patiently(path: bytes, timeout: float, take: Callable[[], Lock], trace: Callable[..., None]) -> Lock:
    """Call `take` until it does not raise BlockingIOError, for up to `timeout` seconds; at least once.

    Raises Failure with fdm's words when the time is over.
    """
    begin = time.monotonic()
    while True:
        try:
            return take()
        except BlockingIOError:
            pause = _PAUSE * (1 + posix.urandom(1)[0] / 256)
            trace("waiting-for-lock", path, pause)
            time.sleep(pause)
        used = time.monotonic() - begin
        if used >= timeout:
            raise Failure(f"{folders.text_of(path)}: couldn't get lock in {used:.3f} seconds")


class LockedFile:
    """An open file that is locked the ways `lock-types` names; `close` gives everything back.

    The lock is on the file that the path means when it is taken: one that was replaced while we waited is opened
    again, so that nothing is ever appended to a mailbox that has no name any more.
    """

    __slots__ = ("_dotlock", "_identity", "created", "descriptor", "path")

    def __init__(self, path: bytes, flags: int, types: tuple[str, ...], create: bool, group: int | None) -> None:
        """One try. Raises BlockingIOError when somebody else has a lock, OSError when something is wrong."""
        self.path = path
        self.descriptor = -1
        self.created = False
        self._dotlock: bytes | None = None
        self._identity: tuple[int, int] | None = None
        try:
            if "dotlock" in types:
                self._take_dotlock()
            self._open(flags | posix.O_CLOEXEC | posix.O_NOCTTY, create, group)
            self._lock(types)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._identity is not None:
            _held.discard(self._identity)
            self._identity = None
        if self.descriptor >= 0:
            posix.close(self.descriptor)
            self.descriptor = -1
        if self._dotlock is not None:
            try:
                posix.unlink(self._dotlock)
            except OSError:
                # Somebody took it for stale; the mail is stored, and whoever holds it now holds it.
                pass
            self._dotlock = None

    def _take_dotlock(self) -> None:
        lock = self.path + b".lock"
        try:
            posix.close(posix.open(lock, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o600))
        except FileExistsError:
            raise BlockingIOError from None
        self._dotlock = lock

    def _open(self, flags: int, create: bool, group: int | None) -> None:
        if create:
            try:
                self.descriptor = posix.open(self.path, flags | posix.O_CREAT | posix.O_EXCL, folders.FILE_MODE)
            except FileExistsError:
                pass
            else:
                self.created = True
                if group is not None:
                    posix.fchown(self.descriptor, -1, group)
                return
        self.descriptor = posix.open(self.path, flags)

    def _lock(self, types: tuple[str, ...]) -> None:
        if "flock" in types:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        own = posix.fstat(self.descriptor)
        identity = (own.st_dev, own.st_ino)
        if "fcntl" in types:
            if identity in _held:
                raise BlockingIOError
            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in _BUSY:
                    raise BlockingIOError from None
                raise
            _held.add(identity)
            self._identity = identity
        if not folders.is_at(self.path, own):
            raise BlockingIOError


class RunLock:
    """The lock that keeps a second run away (fdm(1), FILES); fdm looks only whether the file exists.

    Ours is a flock on that file, which the kernel gives back however we end, so a file left by a crash stops
    nobody. The file is removed at the end, so that fdm itself can run next.
    """

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: bytes) -> None:
        """One try. Raises BlockingIOError when a run holds it, OSError."""
        self._path = path
        while True:
            self._descriptor = posix.open(
                path, posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600
            )
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if folders.is_at(path, posix.fstat(self._descriptor)):
                    return
            except BaseException:
                posix.close(self._descriptor)
                raise
            # Its last holder removed it between our open and our lock.
            posix.close(self._descriptor)

    def release(self) -> None:
        """Remove the file, then let go: in this order nobody can lock a file that is about to vanish."""
        try:
            posix.unlink(self._path)
        except OSError:
            # Removed by hand, or its folder was closed to us: the lock itself goes with the descriptor.
            pass
        posix.close(self._descriptor)


def _silent(event: str, *args: object) -> None:
    """The trace of a lock that nobody watches."""


def take(path: bytes, wait: bool, timeout: float, trace: Callable[..., None] = _silent) -> RunLock:
    """Take the program's lock; with `wait`, try for `timeout` seconds. Raises Failure in fdm's words."""
    try:
        return patiently(path, timeout, lambda: RunLock(path), trace) if wait else RunLock(path)
    except BlockingIOError:
        raise Failure(f"already running ({folders.text_of(path)} exists)") from None
    except OSError as error:
        raise folders.refusal(path, error, "open") from None


def default_path(user: tuple[bytes, int, int, bytes]) -> bytes:
    """Where the lock file is without `set lock-file`: fdm's place on Debian."""
    return user[3] + b"/.fdm.lock" if user[1] else b"/var/run/fdm.lock"
