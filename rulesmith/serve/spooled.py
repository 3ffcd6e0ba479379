"""A message while it arrives: short in memory, long in a private file."""

from __future__ import annotations

import os

from rulesmith.delivery import spool
from rulesmith.limits import LMTP_MEMORY
from rulesmith.serve.line import INLINE


class Spooled:
    """`size` are the octets so far; `failed` says that they could not all be kept."""

    def __init__(self) -> None:
        self.size = 0
        self.failed = False
        self._pieces: list[bytes] = []
        self._file: spool.Spool | None = None

    def add(self, piece: bytes) -> None:
        """Take the next octets."""
        self.size += len(piece)
        if self.failed:
            return
        if self._file is None and self.size <= LMTP_MEMORY:
            self._pieces.append(piece)
            return
        if self._file is None:
            self._file = spool.open_private(self._pieces)
            self._pieces.clear()
        if self._file is None or not self._file.write(piece):
            self.failed = True

    def octets(self) -> bytes | None:
        """All of it, where it is so short that it can be handed over like that."""
        if self._file is not None or self.size > INLINE:
            return None
        self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def descriptor(self) -> int:
        """A file with all of it, the caller's from now on. Raises OSError."""
        if self._file is None:
            descriptor = os.memfd_create("message", os.MFD_CLOEXEC)
            for piece in self._pieces:
                os.write(descriptor, piece)
            return descriptor
        return os.dup(self._file.descriptor)

    def close(self) -> None:
        """Forget it."""
        self._pieces.clear()
        if self._file is not None:
            os.close(self._file.descriptor)
            self._file = None
