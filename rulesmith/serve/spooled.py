"""A message while it arrives: short in memory, long in a private file."""

from __future__ import annotations

import os
import re

from rulesmith.delivery import spool
from rulesmith.limits import LMTP_MEMORY
from rulesmith.serve.line import INLINE

# A field's name; what begins otherwise has no header, or one of an mbox, to which nothing can be added at its begin.
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_LONGEST_NAME = 1000


class Spooled:
    """`size` are the octets so far; `failed` says that they could not all be kept.

    On top comes Return-Path with the sender of the envelope (RFC 5321, 4.4): fetchmail takes that field out of messages
    that it hands over by LMTP, and rules look at it.
    """

    def __init__(self, sender: bytes) -> None:
        self.size = 0
        self._return_path = b"Return-Path: <" + sender + b">\n"
        self._start: bytes | None = b""  # as long as it cannot be told what the message begins with
        self.failed = False
        self._pieces: list[bytes] = []
        self._file: spool.Spool | None = None

    def add(self, piece: bytes) -> None:
        """Take the next octets."""
        if self._start is not None:
            self._start += piece
            if b":" not in self._start and len(self._start) < _LONGEST_NAME:
                return
            self.finish()
            return
        self._keep(piece)

    def finish(self) -> None:
        """There is enough to tell how the message begins."""
        start, self._start = self._start, None
        if start and _FIELD.match(start):
            self._keep(self._return_path)
        if start:
            self._keep(start)

    def _keep(self, piece: bytes) -> None:
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
