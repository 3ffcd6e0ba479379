"""A message in a file while it is being read: more than memory should hold, or one that is to stay (the queue)."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Spool:
    """An open file that holds a message, from the offset `start` on. `failure` is what kept it from being written."""

    __slots__ = ("_end", "_start", "descriptor", "failure")

    def __init__(self, descriptor: int, start: int = 0, end: int | None = None) -> None:
        self.descriptor = descriptor
        self.failure: OSError | None = None
        self._start = start
        self._end = start if end is None else end

    def write(self, chunk: bytes) -> bool:
        """Add some octets; False when they, or earlier ones, could not be written."""
        if self.failure is not None:
            return False
        rest = memoryview(chunk)
        at = self._end
        try:
            while rest:
                written = os.pwrite(self.descriptor, rest, at)
                at += written
                rest = rest[written:]
        except OSError as error:
            self.failure = error
            return False
        self._end = at
        return True

    def read(self) -> bytes:
        """What was written, in one piece. Raises OSError."""
        raw = os.pread(self.descriptor, self._end - self._start, self._start)
        while len(raw) < self._end - self._start:
            # One call gives 2 GiB at most.
            more = os.pread(self.descriptor, self._end - self._start - len(raw), self._start + len(raw))
            if not more:
                raise OSError(errno.EIO, "the file has become shorter")
            raw += more
        return raw


def open_private(begin: Iterable[bytes]) -> Spool | None:
    """A file without a name in $TMPDIR, else /tmp, that has taken `begin`; None where that cannot be."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108  (nobody can open what has no name)
    try:
        try:
            descriptor = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError:
            # Some file systems know no files without name.
            path = f"{folder}/rulesmith.{os.getpid()}.{os.urandom(8).hex()}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            os.unlink(path)
    except OSError:
        return None
    spool = Spool(descriptor)
    for chunk in begin:
        if not spool.write(chunk):
            os.close(descriptor)
            return None
    return spool
