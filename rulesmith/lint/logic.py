"""Conditions as a choice of ways to be true: each way is a set of facts that hold together."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rulesmith.lint.language import is_contained
from rulesmith.mail import glob

if TYPE_CHECKING:
    from rulesmith.program import Term

# A word with its arguments, and whether it is negated.
Fact = tuple[str, tuple[Any, ...], bool]
Way = frozenset[Fact]
# More ways than this are not looked at.
_WAYS = 64
# Fields that a message has once, and what of a regexp means itself.
_ONCE = re.compile(rb"\^(from|sender|subject|date|message-id|return-path): ", re.IGNORECASE)
_LITERAL = re.compile(rb"(?:(?:[A-Za-z0-9 @<>_:,;=/-]|\\[.@<>\[\](){}*+?-])(?![*?{+]))*")
# What a message is asked again and again with the same answer, as long as no action changes it.
STEADY = frozenset(["all", "account", "regexp", "size", "age", "age-invalid", "tagged", "spam-score", "spam-action",
                    "spam-symbol", "attachment-count", "attachment-total-size", "attachment-any-size",
                    "attachment-any-type", "attachment-any-name"])  # fmt: skip


def ways(terms: tuple[Term, ...]) -> list[Way] | None:
    """The ways in which conditions can hold, joined strictly from left to right; None for too many."""
    result: list[Way] = []
    for join, negated, word, args in terms:
        fact: Fact = (word, args, negated)
        if join == 0:
            result = [frozenset([fact])]
        elif join == 2:
            result = [*result, frozenset([fact])]
        else:
            result = [way | {fact} for way in result]
        if len(result) > _WAYS:
            return None
    return result


def contradiction(way: Way) -> tuple[Fact, Fact] | None:
    """Two facts that cannot hold together. A fact that can never hold contradicts itself."""
    facts = sorted(way, key=repr)
    for at, one in enumerate(facts):
        if one[0] == "all" and one[2]:
            return one, one
        for other in facts[at + 1 :]:
            if _exclude(one, other):
                return one, other
    return None


def _exclude(one: Fact, other: Fact) -> bool:
    (word, args, negated), (other_word, other_args, other_negated) = one, other
    if {word, other_word} == {"matched", "unmatched"}:
        return not negated and not other_negated
    if negated != other_negated and word in STEADY:
        positive, negative = (other, one) if negated else (one, other)
        return implies(positive, (negative[0], negative[1], False))
    if negated or other_negated or word != other_word:
        return {word, other_word} == {"age", "age-invalid"} and not negated and not other_negated
    if word in ("size", "age"):
        return _apart(args, other_args)
    if word == "account":
        mine, its = _constant(args[0]), _constant(other_args[0])
        return mine is not None and its is not None and not any(_common(a, b) for a in mine for b in its)
    return word == "regexp" and args[1] == other_args[1] == "headers" and _differ(args[0][0], other_args[0][0])


def _differ(one: bytes, other: bytes) -> bool:
    """Whether the value of a field that a message has only once would have to begin in two ways."""
    found, its = _ONCE.match(one), _ONCE.match(other)
    if found is None or its is None or found[1].lower() != its[1].lower() or b"|" in one + other:
        return False
    mine, theirs = _beginning(one[found.end() :]), _beginning(other[its.end() :])
    shared = min(len(mine), len(theirs))
    return mine[:shared] != theirs[:shared]


def _beginning(pattern: bytes) -> bytes:
    """The characters that a regexp begins with as they are."""
    literal = _LITERAL.match(pattern)
    taken = b"" if literal is None else literal[0]
    return taken.replace(b"\\", b"").lower()


def _apart(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether `< N` and `> M` leave nothing between them."""
    sides = dict([one[:2], other[:2]])
    if set(sides) != {"<", ">"} or not all(isinstance(limit, int) for limit in sides.values()):
        return False
    return bool(sides["<"] <= sides[">"] + 1)


def _constant(patterns: tuple[Any, ...]) -> list[bytes] | None:
    return list(patterns) if all(isinstance(pattern, bytes) for pattern in patterns) else None


def _common(one: bytes, other: bytes) -> bool:
    """Whether a name could match both; of two real patterns nobody knows."""
    if not any(octet in b"*?[\\" for octet in one):
        return glob.matches(other, one)
    return any(octet in b"*?[\\" for octet in other) or glob.matches(one, other)


@lru_cache(maxsize=100_000)
def implies(one: Fact, other: Fact) -> bool:
    """Whether a message for which one holds is one for which the other holds; False also for "cannot tell"."""
    if one == other or (other[0] == "all" and not other[2]):
        return True
    if other[0] != one[0] or other[2] != one[2]:
        return False
    if one[2]:
        one, other = (other[0], other[1], False), (one[0], one[1], False)
    word, args, _ = one
    if word == "regexp":
        return _regexp_implies(args, other[1])
    if word in ("size", "age"):
        (side, limit), (other_side, other_limit) = args[:2], other[1][:2]
        if side != other_side or not isinstance(limit, int) or not isinstance(other_limit, int):
            return False
        return limit <= other_limit if side == "<" else limit >= other_limit
    if word == "account":
        mine, its = _constant(args[0]), _constant(other[1][0])
        return mine is not None and its is not None and all(
            any(a == b or (not _common_glob(a) and glob.matches(b, a)) for b in its) for a in mine
        )  # fmt: skip
    return False


def _common_glob(pattern: bytes) -> bool:
    return any(octet in b"*?[\\" for octet in pattern)


def _regexp_implies(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    (pattern, area), (other_pattern, other_area) = one, other
    if other_area not in (area, "any") or len(pattern) < 6 or len(other_pattern) < 6:
        return False
    return is_contained(pattern, other_pattern, area)
