"""A conversation in lines with a server: what smtp, lmtp and imap deliveries have in common.

Every wait ends at `set timeout`, counted for each line and each piece that is sent, as fdm counts it.
"""

from __future__ import annotations

import time

from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    import ssl

    from rulesmith.delivery.world import World

# A server whose line does not end here is broken or hostile; RFC 5321 (4.5.3.1.5) asks for 512 octets.
_LONGEST_LINE = 65536
# The time limit is for a server that stands still, so a big message goes out in pieces that each have it.
_PIECE = 65536
# Seconds to wait for the answer to a goodbye: it cannot change what became of the message.
_FAREWELL = 5.0


class Connection:
    """One open connection. All methods raise Failure, in fdm's words, when the other side is gone or silent."""

    __slots__ = ("_limit", "_received", "_socket")

    def __init__(self, opened: _socket.socket, limit: float) -> None:
        self._socket = opened
        self._limit = limit
        self._received = b""

    def have_patience(self, limit: float) -> None:
        """From now on each wait ends after so many seconds."""
        self._limit = limit

    def line(self) -> bytes:
        """The next line, without its LF or CR LF."""
        end = None
        while b"\n" not in self._received:
            if len(self._received) > _LONGEST_LINE:
                raise Failure("line too long")
            now = time.monotonic()
            end = end or now + self._limit
            self._received += self._receive(end - now)
        line, _, self._received = self._received.partition(b"\n")
        return line.removesuffix(b"\r")

    def octets(self, count: int) -> bytes:
        """Exactly the next `count` octets (a proxy's answer)."""
        end = time.monotonic() + self._limit
        while len(self._received) < count:
            self._received += self._receive(end - time.monotonic())
        found, self._received = self._received[:count], self._received[count:]
        return found

    def send(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                self._socket.settimeout(self._limit)
                self._socket.sendall(rest[:_PIECE])
            except OSError as error:
                raise _broken(error) from None
            rest = rest[_PIECE:]

    def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Go on encrypted. What came in the clear after the server's consent is not trusted (CVE-2011-0411)."""
        if self._received:
            raise Failure("unexpected data: " + self._received.decode("utf-8", "surrogateescape"))
        from rulesmith.delivery import tls  # ssl is already loaded: the context is there

        self._socket.settimeout(self._limit)
        # Only dial() makes a connection to a server that offers it.
        self._socket = tls.handshake(self._socket, context, name)  # type: ignore[arg-type]

    def part(self, farewell: bytes) -> None:
        """Say goodbye, wait a little for the answer, close. Never fails: by now nothing depends on it."""
        self._limit = min(self._limit, _FAREWELL)
        try:
            self.send(farewell)
            self.line()
        except Failure:
            pass
        self.close()

    def close(self) -> None:
        self._socket.close()

    def _receive(self, seconds: float) -> bytes:
        try:
            if seconds <= 0:
                raise TimeoutError
            self._socket.settimeout(seconds)
            data = self._socket.recv(_PIECE)
        except OSError as error:
            raise _broken(error) from None
        if not data:
            raise Failure("connection unexpectedly closed")
        return data


# The services that fdm.conf(5) has as defaults: slim systems come without /etc/services (RFC 6335 registry).
WELL_KNOWN = {b"smtp": b"25", b"imap": b"143", b"imaps": b"993", b"pop3": b"110", b"pop3s": b"995", b"nntp": b"119"}


def connect(host: bytes, port: bytes, world: World) -> Connection:
    """Open a TCP connection to `host` at `port` (a number or a service name), through `set proxy` if there is one.

    Raises Failure.
    """
    port = WELL_KNOWN.get(port, port)
    proxy = world.settings["proxy"]
    if proxy:
        from rulesmith.delivery.proxy import through  # few configurations have one

        return through(proxy, host, port, world)
    return dial(host, port, world.settings["timeout"])


def dial(host: bytes, port: bytes, limit: float) -> Connection:
    """Open a TCP connection, trying each address of `host`, `limit` seconds each. Raises Failure."""
    import socket  # dear, and only needed once there is something to send

    try:
        # Octets are right, whatever typeshed says, and spare us the IDNA codec.
        return Connection(socket.create_connection((host, port), limit), limit)  # type: ignore[arg-type]
    except socket.gaierror as error:
        raise Failure(error.strerror or str(error)) from None
    except OSError as error:
        raise Failure("connect: " + _words(error)) from None


def dial_unix(path: bytes, limit: float) -> Connection:
    """Open a connection to the unix socket at `path`. Raises Failure."""
    import _socket  # built in, or nearly so; here nothing is needed that `socket` adds

    opened = _socket.socket(_socket.AF_UNIX)
    try:
        opened.settimeout(limit)
        opened.connect(path)
    except OSError as error:
        opened.close()
        raise Failure("connectunix failed: connect: " + _words(error)) from None
    return Connection(opened, limit)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "Connection timed out"
    return error.strerror or str(error)


def _broken(error: OSError) -> Failure:
    """What fdm says when a wait ends badly; it does not tell a reset from a close."""
    if isinstance(error, TimeoutError):
        return Failure("io: poll: Connection timed out")
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return Failure("connection unexpectedly closed")
    return Failure("io: " + _words(error))
