"""Makes the stretches of a program (stretches.py): once per edit."""

from __future__ import annotations

import marshal
import sys

from rulesmith.stretches import GRAM, PACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rulesmith.program import Rule, Term
    from rulesmith.stretches import Positions

    Needle = tuple[str, bool, bytes]  # area, whether case counts, the octets

# Fewer rules are tried one by one.
LEAST = 32
# Octets by how rare they are in mail: a rare gram of a needle is seldom found where the needle is not.
_COMMON = b"etaoinsrhldcumfpgwybv.-@ :kxjqz0123456789"
_RARITY = bytes([_COMMON.index(octet) if octet in _COMMON else len(_COMMON) for octet in bytes(range(256)).lower()])


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
        if len(needle) < GRAM:
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
    packs = tuple(marshal.dumps(tuple(rules[at : at + PACK])) for at in range(0, len(rules), PACK))
    return [(None, indexes, packs, len(rules))]


def _grams(found: list[tuple[bytes, int]]) -> dict[int, Positions]:
    """One rare gram of each needle, as a number, that few others have, and the positions of their rules."""
    users: dict[bytes, int] = {}
    choices = {needle: {needle[at : at + GRAM] for at in range(len(needle) - GRAM + 1)} for needle, _ in found}
    for grams_of_needle in choices.values():
        for gram in grams_of_needle:
            users[gram] = users.get(gram, 0) + 1
    # Twice as many needles count as much as a letter that is six places rarer.
    price = {gram: (6 * number.bit_length() - sum(gram.translate(_RARITY)), gram) for gram, number in users.items()}
    chosen: dict[bytes, list[int]] = {}
    for needle, position in found:
        chosen.setdefault(min(choices[needle], key=price.__getitem__), []).append(position)
    return {
        # Of all grams few are in a message, so what is many values is packed for itself.
        int.from_bytes(gram, sys.byteorder): places[0] if len(places) == 1 else marshal.dumps(tuple(places))
        for gram, places in chosen.items()
    }
