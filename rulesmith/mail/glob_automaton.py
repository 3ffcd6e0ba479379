"""Patterns with wildcards (glob.py) as automata with one bit for each place in the pattern.

So the time for a name grows with its length only: patterns and names may both come out of a stranger's mail.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Bit n stands for "the first n tokens have matched": octet to the places whose token takes it; places whose
    # token takes any octet; places of stars; the place behind the last token.
    Automaton = tuple[dict[int, int], int, int, int]

# A longer pattern with wildcards matches nothing: no header, tag or account has such a name.
LONGEST = 4096
_KEPT = 256
_STAR, _ANY, _OPEN, _BACKSLASH = b"*?[\\"

_ALL = bytes(range(256))
_LOWERED, _RAISED = _ALL.lower(), _ALL.upper()
_UPPER, _LOWER, _DIGIT = _ALL[65:91], _ALL[97:123], _ALL[48:58]
_CLASSES = {
    b"alpha": _UPPER + _LOWER,
    b"upper": _UPPER,
    b"lower": _LOWER,
    b"digit": _DIGIT,
    b"xdigit": _DIGIT + b"ABCDEFabcdef",
    b"alnum": _UPPER + _LOWER + _DIGIT,
    b"space": b" \t\n\v\f\r",
    b"blank": b" \t",
    b"cntrl": _ALL[:32] + b"\x7f",
    b"graph": _ALL[33:127],
    b"print": _ALL[32:127],
    b"punct": _ALL[33:48] + _ALL[58:65] + _ALL[91:97] + _ALL[123:127],
}

_compiled: dict[tuple[bytes, bool], Automaton | None] = {}


def matches(pattern: bytes, name: bytes, fold: bool) -> bool:
    """Whether the pattern matches the whole name."""
    key = (pattern, fold)
    if key not in _compiled:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        _compiled[key] = _compile(pattern, fold) if len(pattern) <= LONGEST else None
    automaton = _compiled[key]
    return automaton is not None and _accepts(automaton, name)


def _accepts(automaton: Automaton, name: bytes) -> bool:
    takes, takes_any, stars, last = automaton
    # A star may match nothing: whoever comes to its place is at the next one too.
    places = 1 | (stars & 1) << 1
    for octet in name:
        places = (places & (takes.get(octet, 0) | takes_any)) << 1 | places & stars
        places |= (places & stars) << 1
        if not places:
            return False
    return places & last != 0


def _compile(pattern: bytes, fold: bool) -> Automaton | None:
    """The automaton; None if the pattern can match nothing (a backslash at its end, an unknown class)."""
    takes: dict[int, int] = {}
    takes_any = stars = 0
    place, at, end = 1, 0, len(pattern)
    while at < end:
        sign = pattern[at]
        at += 1
        taken: set[int] = set()
        if sign == _STAR:
            # A run of stars is one star, so that one step passes over all of it.
            if stars & place >> 1:
                continue
            stars |= place
        elif sign == _ANY:
            takes_any |= place
        else:
            try:
                bracket = _bracket(pattern, at, fold) if sign == _OPEN else None
            except ValueError:
                return None
            if bracket is not None:
                taken, at = bracket
            else:
                if sign == _BACKSLASH:
                    if at == end:
                        return None
                    sign = pattern[at]
                    at += 1
                taken = {_LOWERED[sign], _RAISED[sign]} if fold else {sign}
        for octet in taken:
            takes[octet] = takes.get(octet, 0) | place
        place <<= 1
    return takes, takes_any, stars, place


def _bracket(pattern: bytes, at: int, fold: bool) -> tuple[set[int], int] | None:
    """The octets that the bracket behind `[` takes, and the offset behind it; None if it is not closed.

    Raises ValueError where fnmatch calls the bracket malformed. Case is folded in single octets and ranges,
    not in classes, as in glibc.
    """
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    start = at
    taken: set[int] = set()
    while at < len(pattern):
        if pattern[at] == 93 and at > start:  # ]
            return set(_ALL) - taken if negated else taken, at + 1
        mark = pattern[at : at + 2]
        close = pattern.find(b":]", at + 2) if mark == b"[:" else -1
        if close >= 0 and pattern[at + 2 : close].isalpha():
            members = _CLASSES.get(pattern[at + 2 : close])
            if members is None:
                raise ValueError
            taken.update(members)
            at = close + 2
            continue
        if mark == b"[=" and pattern[at + 3 : at + 5] == b"=]":
            taken.add(pattern[at + 2])
            at += 5
            continue
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"", b"]"):
            high, at = _member(pattern, at + 1)
        folded = _LOWERED if fold else _ALL
        low, high = folded[low], folded[high]
        taken.update(octet for octet in _ALL if low <= folded[octet] <= high)
    return None


def _member(pattern: bytes, at: int) -> tuple[int, int]:
    """One octet of a bracket, as it stands or as backslash or `[.x.]` name it, and the offset behind it."""
    if pattern[at] == _BACKSLASH:
        if at + 1 == len(pattern):
            raise ValueError
        return pattern[at + 1], at + 2
    if pattern[at : at + 2] == b"[.":
        if pattern[at + 3 : at + 5] != b".]":
            raise ValueError
        return pattern[at + 2], at + 5
    return pattern[at], at + 1
