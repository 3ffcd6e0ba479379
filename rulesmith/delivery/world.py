"""What a delivery may know besides its message."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _silent(event: str, *args: object) -> None:
    """The trace of a run that nobody watches."""


class World:
    """Settings, names and the two ways to speak: `trace` (events for the log levels) and `warn` (always shown)."""

    __slots__ = ("_fqdn", "account", "hostname", "settings", "trace", "warn")

    def __init__(
        self,
        settings: dict[str, Any],
        account: bytes,
        hostname: bytes,
        warn: Callable[[bytes], None],
        trace: Callable[..., None] = _silent,
    ) -> None:
        self.settings = settings
        self.account = account
        self.hostname = hostname
        self.warn = warn
        self.trace = trace
        self._fqdn: bytes | None = None

    def fqdn(self) -> bytes:
        """The host's full name where the resolver knows one, else the host name."""
        if self._fqdn is None:
            import socket  # only some deliveries name the host; the import is dear

            try:
                found = socket.getaddrinfo(self.hostname, None, 0, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
                name = found[0][3].encode() or self.hostname
            except (OSError, UnicodeError):
                name = self.hostname
            self._fqdn = name
        return self._fqdn
