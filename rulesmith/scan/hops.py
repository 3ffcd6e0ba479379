"""Who handed the mail to the provider: read from the Received fields, newest first.

Each field was written by the host that took the mail, about the host that gave it. The newest was written on our side;
as long as the giver is a host that we trust (the provider's own, by `set trusted-hops`, or one with a private address)
the next field is believed too. The first giver that is not ours is the hand-off hop; everything below it is hearsay.
"""

from __future__ import annotations

from rulesmith.mail import date, glob, header
from rulesmith.scan import network
from rulesmith.scan.received import Received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Mail does not pass through more hosts inside one provider; nobody reads on.
_FIELDS = 50
_FIELD_OCTETS = 2048


class Hop:
    """A host as the one that spoke with it saw it: address, name in HELO, and looked-up name, or nothing."""

    __slots__ = ("address", "helo", "hostname")

    def __init__(self, address: bytes, helo: bytes, hostname: bytes) -> None:
        self.address = address
        self.helo = helo
        self.hostname = hostname


def trusted(settings: tuple[tuple[bytes | None, tuple[bytes, ...]], ...], account: bytes) -> list[bytes]:
    """The patterns of `set trusted-hops` that hold for an account: addresses, networks, globs of host names."""
    return [
        pattern
        for wanted, patterns in settings
        if wanted is None or glob.matches(wanted, account)
        for pattern in patterns
    ]


def hand_off(head: bytes, patterns: list[bytes]) -> Hop | None:
    """The hand-off hop, None where there is none to be found."""
    for _, hop in _believed(head, patterns):
        if hop is not None:
            return hop
    return None


def arrival(head: bytes, patterns: list[bytes]) -> int | None:
    """When the provider last had the mail in hand (Unix time), None where that is not to be found.

    That is the date of the newest Received field that a host of the provider wrote: not of the fetching
    program's own, which is of this very minute at every fetch.
    """
    for field, _ in _believed(head, patterns):
        when = date.parse(field.date)
        if when is not None:
            return when
    return None


def _believed(head: bytes, patterns: list[bytes]) -> Iterator[tuple[Received, Hop | None]]:
    """The fields that hosts of our side wrote, newest first; the last one with the hop that it names, if it does."""
    fetched = True
    for value in _values(head):
        field = Received(value)
        if fetched and field.pulled:
            continue
        fetched = False
        address = network.address(field.address)
        # Without one, or with a private one, it was handed on inside a host, or inside a house.
        if address is None or network.is_private(address) or _is_trusted(patterns, address, field.hostname):
            yield field, None
        else:
            yield field, Hop(network.text(address), field.helo, field.hostname)
            return


def _is_trusted(patterns: list[bytes], address: bytes, hostname: bytes) -> bool:
    for pattern in patterns:
        block = network.block(pattern)
        if block is not None:
            if network.contains(block, address):
                return True
        # Never against the name in HELO: everybody may say there what he likes.
        elif hostname and glob.matches(pattern, hostname, True):
            return True
    return False


def _values(head: bytes) -> Iterator[bytes]:
    lower = b"\n" + head.lower()
    at = -1
    for _ in range(_FIELDS):
        at = lower.find(b"\nreceived:", at + 1)
        if at < 0:
            return
        yield header.unfold(head[at + 9 : min(header.field_end(head, at), at + _FIELD_OCTETS)])
