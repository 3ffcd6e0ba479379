"""From the tree of a regexp to the source of a regexp for Python's `re` on octets, always with re.MULTILINE.

Where `re` would give another meaning the tree is written in another way; what cannot be said at all is an error,
and what only the linear matcher says right is marked so.
"""

from __future__ import annotations

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.octets import ALL, DIGIT, LF, NOT_LF, SPACE, UPPER, WORD, members
from rulesmith.regexp.tree import (
    Anchor,
    Atomic,
    BackReference,
    Choice,
    Conditional,
    Group,
    Keep,
    Literal,
    Look,
    Node,
    Repeat,
    Sequence,
    Set,
    contains,
    count_groups,
    without_groups,
)

# Source for `re`, least and most octets that it takes (None: no limit).
Written = tuple[bytes, int, int | None]

_ANCHORS = {
    "any-line-start": b"^",
    "line-end": b"$",
    "text-start": rb"\A",
    "text-end": rb"\Z",
    "last-line-end": rb"(?=\n?\Z)",
    "edge": rb"\b",
    "inside": rb"(?!\b)",  # \B of `re` is false in an empty text
    "word-start": rb"\b(?=\w)",
    "word-end": rb"\b(?<=\w)",
}
_NAMED_SETS = {
    NOT_LF: b".",
    ALL: b"(?s:.)",
    DIGIT: rb"\d",
    ALL ^ DIGIT: rb"\D",
    WORD: rb"\w",
    ALL ^ WORD: rb"\W",
    SPACE: rb"\s",
    ALL ^ SPACE: rb"\S",
    0: b"(?!)",
}
_QUANTIFIERS: dict[tuple[int, int | None], bytes] = {(0, None): b"*", (1, None): b"+", (0, 1): b"?"}
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ \"%',/:;<>=@`!")
_ESCAPED = [
    bytes((octet,)) if octet in _PLAIN else b"\\x%02x" % octet if octet < 33 or octet > 126 else b"\\%c" % octet
    for octet in range(256)
]
_IN_SET = [
    bytes((octet,)) if chr(octet).isascii() and chr(octet).isalnum() else b"\\x%02x" % octet for octet in range(256)
]
_NEVER = b"(?!)"


class ReWriter:
    """Writes one tree. `folded`: the text that will be searched is in lower case, as is all of the tree."""

    __slots__ = (
        "across",
        "empty_loops",
        "folded",
        "irregular",
        "keeps",
        "longest_first",
        "loops",
        "sets",
        "straight",
    )

    def __init__(self, folded: bool) -> None:
        self.folded = folded
        self.sets: dict[int, bytes] = {}
        self.irregular = False  # has look-around, back-references or atomic parts
        self.empty_loops = False  # repeats what may take nothing: `re` ends such loops in its own way
        self.across = False  # an endless repeat of one octet may run over many lines
        self.keeps = False  # has \K
        self.straight = True  # no search can take long
        self.longest_first = True  # the first match that `re` finds is the longest from there
        self.loops = 0

    def write(self, node: Node, rest: int) -> Written:
        """The source of a node behind which at least `rest` octets of the text are taken."""
        if isinstance(node, Literal):
            return self._literal(node), len(node.octets), len(node.octets)
        if isinstance(node, Set):
            return self._set(node.mask), 1, 1
        if isinstance(node, Sequence):
            return self._sequence(node.items, rest)
        if isinstance(node, Repeat):
            return self._repeat(node, rest)
        if isinstance(node, Group):
            source, low, high = self.write(node.item, rest)
            return b"(%s)" % source, low, high
        if isinstance(node, Choice):
            source, low, high = self._choice(node, rest)
            return b"(?:%s)" % source, low, high
        if isinstance(node, Anchor):
            return self._anchor(node.kind, rest), 0, 0
        return self._special(node, rest)

    def _literal(self, node: Literal) -> bytes:
        if node.fold and not self.folded:
            return b"".join(
                b"[%c%c]" % (octet, octet - 32) if 97 <= octet <= 122 else _ESCAPED[octet] for octet in node.octets
            )
        if node.octets.isalnum():
            return node.octets
        return b"".join([_ESCAPED[octet] for octet in node.octets])

    def _set(self, mask: int) -> bytes:
        source = _NAMED_SETS.get(mask) or self.sets.get(mask)
        if source is None:
            seen = mask
            if self.folded:  # upper case does not occur: in or out, whichever is shorter to write
                seen = mask | UPPER if mask.bit_count() > 128 else mask & ~UPPER
            source = self.sets[mask] = _NAMED_SETS.get(seen) or _set_source(seen)
        return source

    def _anchor(self, kind: str, rest: int) -> bytes:
        if kind == "line-start":
            # PCRE2 does not match ^ behind the last octet of the text; `re` does, which is no matter if more follows.
            return b"^" if rest else rb"(?:\A|^(?!\Z))"
        return _ANCHORS[kind]

    def _sequence(self, items: tuple[Node, ...], rest: int) -> Written:
        sources: list[bytes] = []
        least, most = 0, 0
        bounded = True
        for item in reversed(items):
            source, low, high = self.write(item, rest + least)
            sources.append(source)
            least += low
            if high is None:
                bounded = False
            else:
                most += high
        sources.reverse()
        return b"".join(sources), least, most if bounded else None

    def _choice(self, node: Choice, rest: int) -> Written:
        written = [self.write(branch, rest) for branch in node.branches]
        least = min(low for _, low, _ in written)
        bounds = [high for _, _, high in written if high is not None]
        most = max(bounds) if len(bounds) == len(written) else None
        if least != most:
            self.longest_first = False
        return b"|".join([source for source, _, _ in written]), least, most

    def _repeat(self, node: Repeat, rest: int) -> Written:
        inside = self.loops
        # What follows a possessive repeat cannot make it try another way.
        source, low, high = self.write(node.item, 0 if node.possessive else rest)
        self.loops += 1
        if node.low != node.high and (low != high or self.loops > 1 or node.lazy):
            self.longest_first = False
        if self.loops > 3 or self.loops > inside + 1 or node.high is None or node.high > 8:
            self.straight = False
        if node.high is None and isinstance(node.item, Set) and node.item.mask & LF and node.item.mask & ~SPACE:
            self.across = True
        if not low and (node.high is None or node.high > 1):
            self.empty_loops = True
        if not isinstance(node.item, (Set, Group)) and not (
            isinstance(node.item, Literal) and len(node.item.octets) == 1
        ):
            source = b"(?:%s)" % source
        quantifier = _QUANTIFIERS.get((node.low, node.high))
        if quantifier is None:
            if node.low == node.high:
                quantifier = b"{%d}" % node.low
            else:
                quantifier = b"{%d,%s}" % (node.low, b"" if node.high is None else b"%d" % node.high)
        least = low * node.low
        most = high * node.high if high is not None and node.high is not None else 0 if high == 0 else None
        if node.possessive:
            self.irregular = True
            return b"(?>%s%s)" % (source, quantifier), least, most
        return source + quantifier + (b"?" if node.lazy else b""), least, most

    def _special(self, node: Node, rest: int) -> Written:
        if isinstance(node, Keep):
            self.keeps = True
            return b"", 0, 0
        self.irregular = True
        self.longest_first = False
        if isinstance(node, Look):
            return self._look(node), 0, 0
        if isinstance(node, Atomic):
            source, low, high = self.write(node.item, 0)
            return b"(?>%s)" % source, low, high
        if isinstance(node, BackReference):
            return (b"(?i:\\%d)" if node.fold and not self.folded else b"(?:\\%d)") % node.number, 0, None
        assert isinstance(node, Conditional)
        yes, low_yes, high_yes = self.write(node.yes, rest)
        no, low_no, high_no = self.write(node.no, rest)
        most = None if high_yes is None or high_no is None else max(high_yes, high_no)
        return b"(?(%d)(?:%s)|(?:%s))" % (node.number, yes, no), min(low_yes, low_no), most

    def _look(self, node: Look) -> bytes:
        groups = count_groups(node.item) if node.negated else 0
        if groups and not contains(node.item, BackReference, Conditional):
            # These captures are never set; they keep their numbers.
            bare = Look(without_groups(node.item), node.behind, True, node.at)
            return self._look(bare) + b"(?:(?!)" + b"()" * groups + b"|)"
        if node.behind:
            return self._look_behind(node)
        return (b"(?!%s)" if node.negated else b"(?=%s)") % self.write(node.item, 0)[0]

    def _look_behind(self, node: Look) -> bytes:
        # `re` wants one width; PCRE2 takes branches of different widths, which stand side by side here.
        branches = node.item.branches if isinstance(node.item, Choice) else (node.item,)
        sources = []
        for branch in branches:
            source, low, high = self.write(branch, 0)
            if low != high:
                if high is None and not contains(branch, BackReference):
                    text = "length of lookbehind assertion is not limited"
                    raise RegexpError(text, node.at, text)
                what = "a look-behind of varying width cannot be used here, but for alternatives each of one width"
                raise RegexpError(what, node.at)
            sources.append((b"(?<!%s)" if node.negated else b"(?<=%s)") % source)
        if node.negated or len(sources) == 1:
            return b"".join(sources)
        return b"(?:%s)" % b"|".join(sources)


def _set_source(mask: int) -> bytes:
    octets = members(mask)
    negated = len(octets) > 128
    if negated:
        octets = members(ALL ^ mask)
    pieces = []
    first = last = octets[0]
    for octet in [*octets[1:], 999]:
        if octet == last + 1:
            last = octet
            continue
        pieces.append(_IN_SET[first] if first == last else b"%s-%s" % (_IN_SET[first], _IN_SET[last]))
        first = last = octet
    return b"[%s%s]" % (b"^" if negated else b"", b"".join(pieces))
