"""Regexps that are octets in disguise: `word`, `^Subject: word`, `^(To|Cc):.*word`, `from.*to`.

Looking for octets answers them as `re` would, submatches included, and `re` takes longer to load than a message takes.
"""

from __future__ import annotations

from rulesmith.regexp.octets import NOT_LF
from rulesmith.regexp.tree import Anchor, Choice, Group, Literal, Repeat, Sequence, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.program import Plain
    from rulesmith.regexp.tree import Node, Parsed

_LINE_STARTS = ("line-start", "any-line-start")


def plain_of(parsed: Parsed, folded: bool) -> Plain | None:
    """What to look for, in the lower-cased text where `folded`; None where it is a real regexp."""
    items = _merged(parsed.root)
    anchored = bool(items) and isinstance(items[0], Anchor) and items[0].kind in _LINE_STARTS
    if anchored:
        del items[0]
    rest = None
    if len(items) > 2 and _is_any(items[-2]):
        rest = _octets(items.pop(), folded)
        items.pop()
        if rest is None:
            return None
    heads = _heads(items, folded)
    if not heads or (len(heads) > 1 and not anchored) or parsed.groups != (heads[0][1] is not None):
        return None
    texts = [head for head, _ in heads]
    if any(one.startswith(other) for at, one in enumerate(texts) for other in texts[:at] + texts[at + 1 :]):
        return None  # which of them matches would be for the dialect to say
    return anchored, tuple(heads), rest


def _heads(items: list[Node], folded: bool) -> list[tuple[bytes, tuple[int, int] | None]]:
    """What may come first, with the place of the capture in it; empty where it is more than octets and one choice."""
    choices = [at for at, item in enumerate(items) if not isinstance(item, Literal)]
    if not items or len(choices) > 1:
        return []
    if not choices:
        octets = _octets(items[0], folded) if len(items) == 1 else None
        return [(octets, None)] if octets else []
    (at,) = choices
    before, after = _joined(items[:at], folded), _joined(items[at + 1 :], folded)
    item = items[at]
    inner = item.item if isinstance(item, Group) else item
    branches = inner.branches if isinstance(inner, Choice) else (inner,)
    heads: list[tuple[bytes, tuple[int, int] | None]] = []
    for branch in branches:
        octets = _octets(branch, folded)
        if octets is None or before is None or after is None:
            return []
        place = (len(before), len(before) + len(octets)) if isinstance(item, Group) else None
        heads.append((before + octets + after, place))
    return heads


def _merged(node: Node) -> list[Node]:
    """The parts of a sequence, neighbouring octets as one."""
    found: list[Node] = []
    for item in node.items if isinstance(node, Sequence) else (node,):
        parts = _merged(item) if isinstance(item, Sequence) else [item]
        for part in parts:
            last = found[-1] if found else None
            if isinstance(part, Literal) and isinstance(last, Literal) and part.fold == last.fold:
                found[-1] = Literal(last.octets + part.octets, part.fold)
            else:
                found.append(part)
    return found


def _joined(items: list[Node], folded: bool) -> bytes | None:
    found = [_octets(item, folded) for item in items]
    return None if None in found else b"".join(filter(None, found))


def _octets(node: Node, folded: bool) -> bytes | None:
    """The octets of a part on one line; None where it is something else."""
    merged = _merged(node)
    if len(merged) != 1 or not isinstance(merged[0], Literal):
        return None
    literal = merged[0]
    if b"\n" in literal.octets or not literal.octets:
        return None
    if folded:
        return literal.octets.lower()
    has_case = literal.octets.lower() != literal.octets.upper()
    return None if literal.fold and has_case else literal.octets


def _is_any(node: Node) -> bool:
    """Whether it is `.*`."""
    if not isinstance(node, Repeat) or node.low or node.high is not None or node.lazy or node.possessive:
        return False
    return isinstance(node.item, Set) and node.item.mask == NOT_LF
