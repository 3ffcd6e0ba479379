"""Internet addresses and networks, as octets: four of them, or sixteen."""

from __future__ import annotations

import _socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    # The length of its addresses, how many of their bits are free, and what the others are.
    Block = tuple[int, int, int]

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
    if slash and not (bits.isdigit() and len(bits) < 4 and int(bits) <= whole):
        return None
    free = whole - int(bits) if slash else 0
    return len(octets), free, int.from_bytes(octets, "big") >> free


def contains(block: Block, octets: bytes) -> bool:
    """Whether an address lies in a network."""
    length, free, start = block
    return length == len(octets) and int.from_bytes(octets, "big") >> free == start


_PRIVATE_BLOCKS = [found for each in _PRIVATE if (found := block(each.encode())) is not None]


def is_private(octets: bytes) -> bool:
    """Whether an address is one of a house's, or of a machine's, own."""
    size, number = len(octets), int.from_bytes(octets, "big")
    return any(length == size and number >> free == start for length, free, start in _PRIVATE_BLOCKS)
