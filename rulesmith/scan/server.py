"""Where rspamd listens, read from an URL."""

from __future__ import annotations

from rulesmith.scan.no_verdict import NoVerdict

# The port of rspamd's scanning worker.
_PORT = b"11333"
_HTTP, _UNIX = b"http://", b"unix:"


class Server:
    """One rspamd: a unix socket's `path`, or `host` and `port` (octets; the port is a number)."""

    __slots__ = ("host", "path", "port")

    def __init__(self, url: bytes) -> None:
        """Read `http://HOST[:PORT]` (an IPv6 address in brackets) or `unix:/PATH`.

        Raises NoVerdict ("unreachable"): whoever got it wrong, the message is not lost by it.
        """
        self.path: bytes | None = None
        self.host = self.port = b""
        if url[:5].lower() == _UNIX:
            self.path = b"/" + url[5:].lstrip(b"/")
            # RFC 3986 would have `unix:///run/x`; both are in use. A path of more octets has no socket.
            if url[5:6] == b"/" and len(self.path) > 1 and b"\0" not in self.path:
                return
        elif url[:7].lower() == _HTTP:
            place = url[7:].rstrip(b"/")
            if place[:1] == b"[":
                self.host, bracket, rest = place[1:].partition(b"]")
                valid = bool(bracket) and rest[:1] in (b"", b":")
                self.port = rest[1:] or _PORT
            else:
                self.host, _, port = place.partition(b":")
                valid = b"/" not in place and b"@" not in place
                self.port = port or _PORT
            if valid and self.host and self.port.isdigit() and 0 < int(self.port[:6]) < 65536 and self.host.isascii():
                return
        raise NoVerdict("unreachable", f"{url.decode('ascii', 'replace')} is neither http://HOST:PORT nor unix:/PATH")

    def name(self) -> bytes:
        """What HTTP's Host field says."""
        if self.path is not None:
            return b"localhost"
        return (b"[%s]:%s" if b":" in self.host else b"%s:%s") % (self.host, self.port)

    def __str__(self) -> str:
        return (self.name() if self.path is None else self.path).decode("ascii", "replace")
