"""`set proxy`: reach a server through an HTTP (RFC 9110, 9.3.6) or SOCKS5 (RFC 1928, 1929) proxy.

The URL is `http://host[:port]` or `socks5://[user:pass@]host[:port]` (fdm.conf(5)).
"""

from __future__ import annotations

from rulesmith.delivery.connection import Connection, dial
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

_HEADER_LINES = 128  # of a proxy's answer
# RFC 1928, 6: what the second octet of an answer means.
_REFUSALS = (
    "",
    "general failure",
    "connection not allowed",
    "network unreachable",
    "host unreachable",
    "connection refused",
    "TTL expired",
    "command not supported",
    "address type not supported",
)


def through(url: bytes, host: bytes, port: bytes, world: World) -> Connection:
    """A connection to `host` at `port` by way of the proxy at `url`. Raises Failure."""
    scheme, _, rest = url.partition(b"://")
    login, _, address = rest.partition(b"/")[0].rpartition(b"@")
    proxy, _, proxy_port = address.partition(b":")
    number = _number(port)
    connection = dial(proxy, proxy_port or (b"1080" if scheme == b"socks5" else b"80"), world.settings["timeout"])
    try:
        if scheme == b"socks5":
            _socks(connection, login, host, number)
        else:
            _http(connection, host, number)
    except BaseException:
        connection.close()
        raise
    return connection


def _number(port: bytes) -> int:
    """The number of a port given by number or by service name."""
    if port.isdigit():
        return int(port)
    import socket  # only a name has to be looked up

    try:
        return socket.getservbyname(port.decode("ascii", "replace"), "tcp")
    except OSError:
        raise Failure("Servname not supported for ai_socktype") from None


def _http(connection: Connection, host: bytes, port: int) -> None:
    where = b"%s:%d" % (host, port)
    connection.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (where, where))
    status = line = connection.line()
    for _ in range(_HEADER_LINES):
        if not line:
            break
        line = connection.line()
    if status.split(b" ", 2)[1:2] != [b"200"]:
        raise Failure("unexpected response: " + status.decode("utf-8", "surrogateescape"))


def _socks(connection: Connection, login: bytes, host: bytes, port: int) -> None:
    user, _, password = login.partition(b":")
    if max(len(user), len(password), len(host)) > 255:
        raise Failure("proxy: name too long")
    connection.send(b"\5\1" + (b"\2" if login else b"\0"))
    method = connection.octets(2)
    if method == b"\5\2" and login:
        connection.send(b"\1%c%s%c%s" % (len(user), user, len(password), password))
        if connection.octets(2)[1:] != b"\0":
            raise Failure("proxy: login refused")
    elif method != b"\5\0":
        raise Failure("proxy: no acceptable way to log in")
    connection.send(b"\5\1\0\3%c%s%s" % (len(host), host, port.to_bytes(2, "big")))
    answer = connection.octets(4)
    code = answer[1]
    if code:
        raise Failure("proxy: " + (_REFUSALS[code] if code < len(_REFUSALS) else f"error {code}"))
    # The address the proxy uses: IPv4, IPv6, or a name with its length; then a port. Nobody needs it.
    length = {1: 4, 4: 16}.get(answer[3]) or connection.octets(1)[0]
    connection.octets(length + 2)
