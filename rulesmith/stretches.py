"""Many rules in a row of which one look into the message says which may be true.

Nearly every rule looks for a text that is not there. So the program file has *stretches* in the place of long runs of
rules that are false without one of their needles (regexp/needles.py): what to look for, and the rules themselves still
packed; stretching.py makes them. What is left is tried like any rule. A stretch changes nothing of what a program does,
only when it is loaded.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from rulesmith.mail.message import Message
    from rulesmith.program import Rule

    # (area, whether case counts, how many, needles, grams). The two last are packed: needles and the positions of
    # their rules; grams, some octets of each needle, with their positions.
    Index = tuple[str, bool, int, bytes, bytes]
    # (None, indexes, the rules in packs, how many rules); a rule has its number where a stretch has None.
    Stretch = tuple[None, tuple[Index, ...], tuple[bytes, ...], int]
    Positions = int | bytes  # one, or several packed

PACK = 32  # rules
GRAM = 4  # octets, which are compared as one number
# A text is cut into its grams in blocks of so many octets, to keep the set of them small.
_BLOCK = 1 << 16
# So many unpacked things are kept for the next message.
_KEPT = 4096

_unpacked: dict[bytes, Any] = {}


def possible(rules: Iterable[Any], message: Message) -> Iterator[Rule]:
    """The rules that may be true of the message as it is when their turn has come, in their order."""
    for item in rules:
        if item[0] is not None:
            yield item
        else:
            yield from _possible(item, message)


def every(rules: Iterable[Any]) -> Iterator[Rule]:
    """All rules, unpacked: for who wants to see what is tried."""
    for item in rules:
        if item[0] is not None:
            yield item
        else:
            for pack in item[2]:
                yield from _unpack(pack)


def _possible(stretch: Stretch, message: Message) -> Iterator[Rule]:
    _, indexes, packs, count = stretch
    at = 0
    raw = None
    upcoming: Iterator[int] = iter(())
    while at < count:
        if message.raw is not raw:
            # At first, and where a rule has changed what those after it see.
            raw = message.raw
            # Without a header area not all of them are tried, and that can be seen in the submatches.
            positions = _positions(indexes, message) if message.body_at else range(count)
            upcoming = iter([position for position in positions if position >= at])
        position = next(upcoming, count)
        if position > at:
            # Those in between are tried by this, and have found nothing.
            message.captures = ()
        if position < count:
            yield _unpack(packs[position // PACK])[position % PACK]
        at = position + 1


def _positions(indexes: tuple[Index, ...], message: Message) -> list[int]:
    """Where in the stretch the rules are that may be true."""
    found: set[int] = set()
    for index in indexes:
        found.update(_positions_of(index, message))
    return sorted(found)


def _positions_of(index: Index, message: Message) -> list[int]:
    area, case, count, packed_needles, packed_grams = index
    size = len(message.raw) - message.body_at if area == "body" else len(message.view(area))
    # A needle costs something for each octet of the text; all grams together a lot for each octet.
    if count * (2 + size // 80) < size:
        return [position for needle, position in _unpack(packed_needles) if not message.lacks(area, needle, case)]
    text = message.view(area) if case else message.folded(area)
    grams: dict[int, Positions] = _unpack(packed_grams)
    found: list[int] = []
    for start in range(0, len(text), _BLOCK):
        block = memoryview(text)[start : start + _BLOCK + GRAM - 1]
        there: set[int] = set()
        for shift in range(GRAM):
            end = len(block) - (len(block) - shift) % GRAM
            there.update(block[shift:end].cast("I"))
        for gram in grams.keys() & there:
            positions = grams[gram]
            found += _unpack(positions) if isinstance(positions, bytes) else (positions,)
    return found


def _unpack(packed: bytes) -> Any:
    known = _unpacked.get(packed)
    if known is None:
        if len(_unpacked) >= _KEPT:
            _unpacked.clear()
        known = _unpacked[packed] = marshal.loads(packed)  # noqa: S302  # from a file that only we can write
    return known
