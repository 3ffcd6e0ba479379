"""What server and workers say to each other: one tuple a packet, and now and then an open file with it.

To a worker: (JOB, number, folder, variables, config, size, octets or None); the message is in the file that comes
along where the octets are None. Some time after its answer (TOLD, number, yes or no): whether the client has heard it.

From a worker: (ANSWER, exit status, last), as soon as it is known what to tell the client, `last` where nothing else
follows; (FREE, leaves) after an answer that was not the last, when the message is done with, and whether the worker
takes no other one; (NOTE, who, text), for the log, to be said once however many workers say it.
"""

from __future__ import annotations

import _socket
import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JOB, TOLD, ANSWER, FREE, NOTE = "job", "told", "answer", "free", "note"
# A message of so many octets goes in the packet; a socket has room for three of them.
INLINE = 1 << 16
_PACKET = 1 << 18
_NUMBER = 4  # octets of a descriptor in a control message
# A packet is here from its arrival until it is read; memory for each would have to come from the system.
_ROOM = memoryview(bytearray(_PACKET))
_SPACE = _socket.CMSG_SPACE(_NUMBER)


class Line:
    """One end. What comes was written by a process of our own."""

    __slots__ = ("socket",)

    def __init__(self, socket: _socket.socket) -> None:
        self.socket = socket

    def say(self, *words: Any, descriptor: int = -1) -> None:
        """Raises OSError where nobody is there any more."""
        more = []
        if descriptor >= 0:
            rights = descriptor.to_bytes(_NUMBER, sys.byteorder)
            more = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)]
        self.socket.sendmsg([marshal.dumps(words)], more, _socket.MSG_NOSIGNAL)

    def hear(self) -> tuple[tuple[Any, ...], int] | None:
        """The next words, and the file that came along, -1 without one; None when the other side is gone.

        Raises BlockingIOError where the socket does not wait.
        """
        try:
            size, more, _, _ = self.socket.recvmsg_into([_ROOM], _SPACE, _socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return None
        descriptor = int.from_bytes(more[0][2][:_NUMBER], sys.byteorder) if more else -1
        if not size:
            return None
        words: tuple[Any, ...] = marshal.loads(_ROOM[:size])  # noqa: S302  (our own process wrote it)
        return words, descriptor

    def close(self) -> None:
        self.socket.close()


def pair() -> tuple[Line, Line]:
    """Both ends, not inherited by other programs. Raises OSError."""
    one, other = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    return Line(one), Line(other)


def adopt(descriptor: int) -> Line:
    """A line from the descriptor of its socket."""
    return Line(_socket.socket(fileno=descriptor))
