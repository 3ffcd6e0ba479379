"""Internet addresses and networks, as octets: four of them, or sixteen."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    Block = tuple[bytes, int]

_MAPPED = bytes(10) + b"\xff\xff"
_LONGEST = 45
# From these (RFC 6890) nobody hands over mail to a provider; hosts of one house do among themselves.
_PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "::/127", "fc00::/7", "fe80::/10",
)  # fmt: skip


def address(text: bytes) -> bytes | None:
    """The octets of an address; of an IPv4 address in IPv6 clothes, its own four. None if it is none."""
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    try:
        if b":" not in text:
            # Only the full form: not `10.1`, and not a bare number.
            return _socket.inet_pton(_socket.AF_INET, text.decode())
        octets = _socket.inet_pton(_socket.AF_INET6, text.partition(b"%")[0].decode())
    except (OSError, ValueError):
        return None
    return octets[12:] if octets[:12] == _MAPPED else octets


def text(octets: bytes) -> bytes:
    """An address as people write it."""
    return _socket.inet_ntop(_socket.AF_INET if len(octets) == 4 else _socket.AF_INET6, octets).encode()


def block(text: bytes) -> Block | None:
    """`ADDRESS` or `ADDRESS/BITS`; None if it is neither."""
    place, slash, bits = text.partition(b"/")
    octets = address(place.strip(b"[]"))
    if octets is None:
        return None
    whole = len(octets) * 8
    if not slash:
        return octets, whole
    return (octets, int(bits)) if bits.isdigit() and len(bits) < 4 and int(bits) <= whole else None


def contains(block: Block, octets: bytes) -> bool:
    """Whether an address lies in a network."""
    base, bits = block
    if len(base) != len(octets):
        return False
    shift = len(base) * 8 - bits
    return int.from_bytes(base, "big") >> shift == int.from_bytes(octets, "big") >> shift


_PRIVATE_BLOCKS = [found for each in _PRIVATE if (found := block(each.encode())) is not None]


def is_private(octets: bytes) -> bool:
    """Whether an address is one of a house's, or of a machine's, own."""
    return any(contains(each, octets) for each in _PRIVATE_BLOCKS)
