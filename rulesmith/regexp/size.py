"""How large a regexp becomes when its counted repeats are written out."""

from __future__ import annotations

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.tree import Anchor, Choice, Group, Literal, Node, Parsed, Repeat, Set, children

# The linear matcher writes counted repeats out; above this many places it is not used.
_PLACES = 4000
# PCRE2 with two-octet links compiles no more code units than this.
_PCRE_UNITS = 65536


def check_size(parsed: Parsed, dialect: str) -> None:
    """RegexpError where PCRE2 refuses the regexp as too large."""
    if dialect == "pcre" and _units(parsed.root) > _PCRE_UNITS:
        text = "regular expression is too large"
        raise RegexpError(text, None, text)


def is_linear_size(root: Node) -> bool:
    """Whether the linear matcher can have it."""
    return _places(root) <= _PLACES


def _places(node: Node) -> int:
    if isinstance(node, Literal):
        return len(node.octets)
    inner = sum(_places(child) for child in children(node)) + 1
    if isinstance(node, Repeat):
        return inner * max(node.low + 1 if node.high is None else node.high, 1)
    return inner


def _units(node: Node) -> int:
    """About the code units that PCRE2 needs (its opcodes: a link takes two, a bit map 32)."""
    if isinstance(node, Literal):
        return 2 * len(node.octets)
    if isinstance(node, Set):
        return 33 if node.mask.bit_count() < 250 else 1
    if isinstance(node, Anchor):
        return 1
    inner = sum(_units(child) for child in children(node))
    if isinstance(node, Choice):
        return inner + 3 * len(node.branches)
    if isinstance(node, Group):
        return inner + 8
    if isinstance(node, Repeat):
        if isinstance(node.item, (Literal, Set)):
            return inner + 6
        optional = 0 if node.high is None else node.high - node.low
        return inner * max(node.low, 1) + optional * (inner + 7)
    return inner + 6
