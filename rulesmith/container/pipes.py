"""The pipes that services write their lines into, and the lines that come out."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Octets of a line that are kept; seconds that an unfinished line may wait for its end.
LONGEST = 8192
PATIENCE = 2.0
# Octets that are read at once: what a pipe holds.
_BLOCK = 65536


class Pipe:
    """One service's pipe, held open for writing as well: it never ends, and keeps what nobody has read yet."""

    def __init__(self, path: str) -> None:
        """Raises OSError."""
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        found = os.fstat(self.descriptor)
        self.number = found.st_ino
        if not stat.S_ISFIFO(found.st_mode):
            os.close(self.descriptor)
            raise OSError(f"{path} is no pipe")
        self._part = bytearray()
        self._cut = 0  # octets of the unfinished line that are not kept
        self._since = 0.0

    def read(self, now: float) -> Iterator[bytes]:
        """The lines that have come. `now` is a monotonic time."""
        try:
            block = os.read(self.descriptor, _BLOCK)
        except BlockingIOError:
            return
        *ends, rest = block.split(b"\n")
        for end in ends:
            self._add(end)
            yield self._take()
        if rest:
            if not self._part:
                self._since = now
            self._add(rest)

    def unfinished(self, now: float, patience: float = PATIENCE) -> bytes | None:
        """A line without its end that has waited long enough."""
        if self._part and now - self._since >= patience:
            return self._take()
        return None

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    def _add(self, octets: bytes) -> None:
        room = LONGEST - len(self._part)
        self._part += octets[:room]
        self._cut += max(0, len(octets) - room)

    def _take(self) -> bytes:
        line, cut = bytes(self._part), self._cut
        self._part.clear()
        self._cut = 0
        return line + b" \xe2\x80\xa6 (%d more octets)" % cut if cut else line
