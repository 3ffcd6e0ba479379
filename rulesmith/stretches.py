"""Many rules in a row of which one look into the message says which may be true.

Nearly every rule looks for a text that is not there. So the program file has *stretches* in the place of long runs of
rules that are false without one of their needles (regexp/needles.py): what to look for, and the rules themselves still
packed. What is left is tried like any rule. A stretch changes nothing of what a program does, only when it is loaded.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from rulesmith.mail.message import Message
    from rulesmith.program import Rule, Term

    # (area, whether case counts, how many, needles, grams). The two last are packed: needles and the positions of
    # their rules; grams, some octets of each needle, with their positions.
    Index = tuple[str, bool, int, bytes, bytes]
    # (None, indexes, the rules in packs, how many rules); a rule has its number where a stretch has None.
    Stretch = tuple[None, tuple[Index, ...], tuple[bytes, ...], int]
    Position = int | tuple[int, ...]
    Needle = tuple[str, bool, bytes]  # area, whether case counts, the octets

# Fewer rules are tried one by one.
LEAST = 32
_PACK = 32
_GRAM = 4
# A text is cut into its grams in blocks of so many octets, to keep the set of them small.
_BLOCK = 1 << 16
# Letters by how rare they are in mail: a rare gram of a needle is seldom found where the needle is not.
_RARITY = {octet: place for place, octet in enumerate(b"etaoinsrhldcumfpgwybv.-@ :kxjqz0123456789")}
# So many unpacked things are kept for the next message.
_KEPT = 4096

_unpacked: dict[bytes, Any] = {}


def with_stretches(rules: Sequence[Rule]) -> tuple[Any, ...]:
    """The rules of a program with stretches in the place of long runs."""
    found: list[Any] = []
    run: list[tuple[Rule, list[Needle]]] = []
    for rule in rules:
        if rule[6]:
            rule = (*rule[:6], with_stretches(rule[6]), rule[7])  # noqa: PLW2901  # the same with its block
        needles = _needles(rule[2])
        if needles:
            run.append((rule, needles))
            continue
        found += _close(run)
        run = []
        found.append(rule)
    found += _close(run)
    return tuple(found)


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
            yield _unpack(packs[position // _PACK])[position % _PACK]
        at = position + 1


def _positions(indexes: tuple[Index, ...], message: Message) -> list[int]:
    """Where in the stretch the rules are that may be true."""
    found: set[int] = set()
    for index in indexes:
        found.update(_positions_of(index, message))
    return sorted(found)


def _positions_of(index: Index, message: Message) -> list[int]:
    area, case, count, packed_needles, packed_grams = index
    text = message.view(area) if case else message.folded(area)
    # A needle costs a little, and something for each octet of the text; all grams together a lot for each octet.
    if count * (2 + len(text) // 200) < len(text):
        return [position for needle, position in _unpack(packed_needles) if needle in text]
    grams: dict[bytes, Position] = _unpack(packed_grams)
    found: list[int] = []
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK + _GRAM - 1]
        for gram in grams.keys() & {block[at : at + _GRAM] for at in range(len(block) - _GRAM + 1)}:
            positions = grams[gram]
            found += positions if isinstance(positions, tuple) else (positions,)
    return found


def _needles(expression: tuple[Term, ...]) -> list[Needle]:
    """Without any of these in the message the expression is false, and does nothing else.

    Nothing where that is not so. With `and` it is false with its first term, with `or` without all of them.
    """
    joins = {term[0] for term in expression[1:]}
    if len(joins) > 1:
        return []
    found = []
    for _, negated, word, args in expression if joins == {2} else expression[:1]:
        if negated or word != "regexp":
            return []
        (_, _, _, needle, _, case, _), area = args
        if len(needle) < _GRAM:
            return []
        found.append((area, case, needle))
    return found


def _close(run: list[tuple[Rule, list[Needle]]]) -> list[Any]:
    """The end of a run: a stretch, or the rules where they are few."""
    rules = [rule for rule, _ in run]
    if len(run) < LEAST:
        return [*rules]
    by_text: dict[tuple[str, bool], list[tuple[bytes, int]]] = {}
    for position, (_, needles) in enumerate(run):
        for area, case, needle in needles:
            by_text.setdefault((area, case), []).append((needle, position))
    indexes = tuple(
        (area, case, len(found), marshal.dumps(tuple(found)), marshal.dumps(_grams(found)))
        for (area, case), found in by_text.items()
    )
    packs = tuple(marshal.dumps(tuple(rules[at : at + _PACK])) for at in range(0, len(rules), _PACK))
    return [(None, indexes, packs, len(rules))]


def _grams(found: list[tuple[bytes, int]]) -> dict[bytes, Position]:
    """For each needle one of its grams, which is rare and in few other needles, and the positions of their rules."""
    users: dict[bytes, int] = {}
    choices = {needle: {needle[at : at + _GRAM] for at in range(len(needle) - _GRAM + 1)} for needle, _ in found}
    for grams_of_needle in choices.values():
        for gram in grams_of_needle:
            users[gram] = users.get(gram, 0) + 1
    # Twice as many needles count as much as a letter that is six places rarer.
    price = {gram: 6 * number.bit_length() - _rarity(gram) for gram, number in users.items()}
    chosen: dict[bytes, list[int]] = {}
    for needle, position in found:
        chosen.setdefault(min(choices[needle], key=lambda gram: (price[gram], gram)), []).append(position)
    return {gram: places[0] if len(places) == 1 else tuple(places) for gram, places in chosen.items()}


def _rarity(gram: bytes) -> int:
    return sum(_RARITY.get(octet, len(_RARITY)) for octet in gram.lower())


def _unpack(packed: bytes) -> Any:
    known = _unpacked.get(packed)
    if known is None:
        if len(_unpacked) >= _KEPT:
            _unpacked.clear()
        known = _unpacked[packed] = marshal.loads(packed)  # noqa: S302  # from a file that only we can write
    return known
