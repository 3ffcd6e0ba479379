"""Sets of octets as 256-bit masks, and the named classes in the C locale."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ALL = (1 << 256) - 1


def mask_of(octets: Iterable[int]) -> int:
    """The set of these octets."""
    mask = 0
    for octet in octets:
        mask |= 1 << octet
    return mask


def span(first: int, last: int) -> int:
    """All octets from first to last, both included."""
    return (1 << (last + 1)) - (1 << first)


LF = 1 << 10
NOT_LF = ALL ^ LF
UPPER = span(65, 90)
LOWER = span(97, 122)
ALPHA = UPPER | LOWER
DIGIT = span(48, 57)
WORD = ALPHA | DIGIT | 1 << 95
SPACE = mask_of(b"\t\n\v\f\r ")
HORIZONTAL = mask_of(b"\t \xa0")
VERTICAL = mask_of(b"\n\v\f\r\x85")

CLASSES = {
    b"alpha": ALPHA,
    b"lower": LOWER,
    b"upper": UPPER,
    b"alnum": ALPHA | DIGIT,
    b"ascii": span(0, 127),
    b"blank": mask_of(b"\t "),
    b"cntrl": span(0, 31) | 1 << 127,
    b"digit": DIGIT,
    b"graph": span(33, 126),
    b"print": span(32, 126),
    b"punct": span(33, 126) & ~(ALPHA | DIGIT),
    b"space": SPACE,
    b"word": WORD,
    b"xdigit": mask_of(b"0123456789abcdefABCDEF"),
}


def closed(mask: int) -> int:
    """The set with the other case of each of its ASCII letters."""
    return mask | (mask & UPPER) << 32 | (mask & LOWER) >> 32


def members(mask: int) -> list[int]:
    """The octets of a set in order."""
    return [octet for octet in range(256) if mask >> octet & 1]
