"""Addresses of proxies: `http://`, `https://`, `socks://` or `socks5://`, `user:password@`, host, `:port`."""

from __future__ import annotations

# scheme -> (what fdm calls it, default port)
_SCHEMES = {
    b"http://": (b"HTTP", b"http"),
    b"https://": (b"HTTPS", b"https"),
    b"socks://": (b"SOCKS5", b"socks"),
    b"socks5://": (b"SOCKS5", b"socks"),
}


def read_proxy(url: bytes) -> tuple[bytes, bytes, bytes] | None:
    """(kind, host, port) of a proxy's address, None where fdm refuses it. Slashes at its end do not count."""
    for scheme, (kind, service) in _SCHEMES.items():
        if not url.startswith(scheme):
            continue
        rest = url[len(scheme) :].rstrip(b"/")
        login, at, host = rest.partition(b"@")
        if not at:
            host = rest
        elif not all(login.partition(b":")[::2]):
            return None
        host, colon, port = host.rpartition(b":") if b":" in host else (host, b"", service)
        return (kind, host, port) if host and port else None
    return None
