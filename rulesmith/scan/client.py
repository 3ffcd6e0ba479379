"""One question to rspamd, over a plain socket: importing an HTTP library costs more than the whole scan."""

from __future__ import annotations

import _socket
import posix
import time

from rulesmith.scan import response
from rulesmith.scan.no_verdict import NoVerdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.scan.server import Server

_PIECE = 1 << 18
# More at a time would be memory of its own from the system, each time.
_RECEIVED = 1 << 16


def ask(server: Server, head: bytes, body: bytes, seconds: float) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send a request; the answer's status, fields (names in lower case) and body.

    All of it, from looking up the host's name on, has `seconds`; only the resolver has limits of its own.
    Raises NoVerdict.
    """
    end = time.monotonic() + seconds
    line = _connect(server, end, seconds)
    try:
        talk = _Talk(line, end, seconds)
        # A short message goes out whole.
        room = max(_PIECE - len(head), 0)
        talk.send(head + body[:room])
        talk.send(memoryview(body)[room:])
        return response.read(talk.receive)
    finally:
        line.close()


def _connect(server: Server, end: float, seconds: float) -> _socket.socket:
    places: list[tuple[int, Any]]
    if server.path is not None:
        places = [(_socket.AF_UNIX, server.path)]
    else:
        try:
            # As octets the name needs no IDNA codec.
            found = _socket.getaddrinfo(server.host, int(server.port), 0, _socket.SOCK_STREAM)
        except OSError as error:
            raise NoVerdict("unreachable", f"{server}: {error.strerror or error}") from None
        places = [(each[0], each[4]) for each in found]
    why = "no address"
    for family, place in places:
        line = _socket.socket(family, _socket.SOCK_STREAM)
        try:
            line.settimeout(max(end - time.monotonic(), 0.001))
            line.connect(place)
            return line
        except TimeoutError:
            line.close()
            raise NoVerdict("timeout", f"{server}: no connection within {seconds:g} s") from None
        except OSError as error:
            line.close()
            why = posix.strerror(error.errno) if error.errno else str(error)
    raise NoVerdict("unreachable", f"{server}: {why}")


class _Talk:
    """An open connection on which nothing lasts longer than until `end`."""

    __slots__ = ("_end", "_line", "_seconds", "_whole")

    def __init__(self, line: _socket.socket, end: float, seconds: float) -> None:
        self._line = line
        self._end = end
        self._seconds = seconds
        self._whole = True

    def _arm(self) -> None:
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        self._line.settimeout(rest)

    def send(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        try:
            while rest and self._whole:
                self._arm()
                rest = rest[self._line.send(rest[:_PIECE]) :]
        except TimeoutError:
            raise self._late() from None
        except OSError:
            # Who hangs up on a message may still have said why.
            self._whole = False

    def receive(self) -> bytes:
        """Some more octets, none at the end."""
        try:
            self._arm()
            return self._line.recv(_RECEIVED)
        except TimeoutError:
            raise self._late() from None
        except OSError as error:
            raise NoVerdict("error", f"connection broken: {posix.strerror(error.errno or 0)}") from None

    def _late(self) -> NoVerdict:
        return NoVerdict("timeout", f"no answer within {self._seconds:g} s")
