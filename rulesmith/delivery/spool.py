"""A message in a file while it is being read: more than memory should hold, or one that is to stay (the queue)."""

from __future__ import annotations

import errno
import posix

from rulesmith import environment

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
                written = posix.pwrite(self.descriptor, rest, at)
                at += written
                rest = rest[written:]
        except OSError as error:
            self.failure = error
            return False
        self._end = at
        return True

    def read(self) -> bytes:
        """What was written, in one piece. Raises OSError."""
        raw = posix.pread(self.descriptor, self._end - self._start, self._start)
        while len(raw) < self._end - self._start:
            # One call gives 2 GiB at most.
            more = posix.pread(self.descriptor, self._end - self._start - len(raw), self._start + len(raw))
            if not more:
                raise OSError(errno.EIO, "the file has become shorter")
            raw += more
        return raw


def open_private(begin: Iterable[bytes]) -> Spool | None:
    """A file without a name in $TMPDIR, else /tmp, that has taken `begin`; None where that cannot be."""
    folder = environment.text_of(environment.variable(b"TMPDIR") or b"/tmp")
    try:
        try:
            descriptor = posix.open(folder, posix.O_RDWR | posix.O_TMPFILE | posix.O_CLOEXEC, 0o600)
        except OSError:
            # Some file systems know no files without name.
            path = f"{folder}/rulesmith.{posix.getpid()}.{posix.urandom(8).hex()}"
            descriptor = posix.open(
                path, posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC, 0o600
            )
            posix.unlink(path)
    except OSError:
        return None
    spool = Spool(descriptor)
    for chunk in begin:
        if not spool.write(chunk):
            posix.close(descriptor)
            return None
    return spool
