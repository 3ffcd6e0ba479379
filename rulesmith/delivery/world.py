"""What a delivery may know besides its message."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def full_name(hostname: bytes) -> bytes:
    """The name that the resolver has for a host's first address, as in fdm; the host name where it has none."""
    import _socket  # `socket` costs more than the look-up; some runs never need a name

    try:
        address = _socket.getaddrinfo(hostname, None, 0, 1)[0][4]  # 1: SOCK_STREAM
        # With a number for the service, or /etc/services is searched for the name of port 0.
        how = _socket.NI_NAMEREQD | _socket.NI_NUMERICSERV
        return _socket.getnameinfo(address, how)[0].encode() or hostname
    except (OSError, UnicodeError):
        return hostname


def _silent(event: str, *args: object) -> None:
    """The trace of a run that nobody watches."""


class World:
    """Settings, names and the two ways to speak: `trace` (events for the log levels) and `warn` (always shown).

    `level` is the log's: what would be an event for each line of a message need not be traced where nobody sees it.
    """

    __slots__ = ("_fqdn", "account", "hostname", "level", "settings", "trace", "warn")

    def __init__(
        self,
        settings: dict[str, Any],
        account: bytes,
        hostname: bytes,
        warn: Callable[[bytes], None],
        trace: Callable[..., None] = _silent,
        level: int = 0,
    ) -> None:
        self.settings = settings
        self.account = account
        self.hostname = hostname
        self.warn = warn
        self.trace = trace
        self.level = level
        self._fqdn: bytes | None = None

    def fqdn(self) -> bytes:
        """The host's full name where the resolver knows one, else the host name."""
        if self._fqdn is None:
            self._fqdn = full_name(self.hostname)
        return self._fqdn
