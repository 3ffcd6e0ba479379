"""A message that came by LMTP, in the hands of a worker."""

from __future__ import annotations

import os

from rulesmith.delivery.spool import Spool
from rulesmith.effects import Failure
from rulesmith.sources.stdin import Letter, TooBig

_CHUNK = 1 << 18


class Handed:
    """Octets, or an open file that holds `size` of them and is ours from now on."""

    __slots__ = ("_descriptor", "_octets", "_size")

    def __init__(self, octets: bytes | None, size: int, descriptor: int) -> None:
        self._octets = octets
        self._size = size
        self._descriptor = descriptor

    def receive(self, maximum: int, spool: Spool | None) -> Letter:
        """As from standard input (sources/stdin.py). Raises Failure, TooBig."""
        if not self._size:
            raise Failure("empty message")
        if self._size > maximum:
            raise TooBig(f"message too big: {self._size} bytes")
        if self._octets is None and spool is None:
            return _Filed(self._descriptor, self._size)
        letter = Letter(spool)
        if self._octets is not None:
            letter.add(self._octets)
            return letter
        at = 0
        while at < self._size:
            chunk = os.pread(self._descriptor, _CHUNK, at)
            if not chunk:
                raise Failure("the file of the message has become shorter")
            letter.add(chunk)
            at += len(chunk)
        return letter

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Filed(Letter):
    """A message that stays in the file it is in."""

    __slots__ = ()

    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__(Spool(descriptor, 0, size))
        self._size = size
        self._last = os.pread(descriptor, 1, size - 1)
