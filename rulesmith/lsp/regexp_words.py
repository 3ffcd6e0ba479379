"""A regexp in plain words."""

from __future__ import annotations

from rulesmith.regexp.octets import ALL, CLASSES, DIGIT, LF, NOT_LF, SPACE, UPPER, WORD
from rulesmith.regexp.tree import (
    Anchor,
    Atomic,
    BackReference,
    Choice,
    Conditional,
    Group,
    Literal,
    Look,
    Node,
    Repeat,
    Sequence,
    Set,
    contains,
)

_ANCHORS = {
    "line-start": "the start of a line",
    "any-line-start": "the start of a line",
    "line-end": "the end of a line",
    "text-start": "the start of the text",
    "text-end": "the end of the text",
    "last-line-end": "the end of the text",
    "edge": "the edge of a word",
    "inside": "no edge of a word",
    "word-start": "the start of a word",
    "word-end": "the end of a word",
}
_SETS = {
    ALL: "any octet",
    NOT_LF: "any character",
    DIGIT: "a digit",
    WORD: "a letter, digit or `_`",
    SPACE: "white space",
    ALL ^ DIGIT: "no digit",
    ALL ^ WORD: "no letter, digit or `_`",
    ALL ^ SPACE: "no white space",
    CLASSES[b"alpha"]: "a letter",
    CLASSES[b"alnum"]: "a letter or digit",
}
_MOST_RANGES = 8


def regexp_words(root: Node, case: bool) -> str:
    """What the text must be, as one phrase in Markdown."""
    return _Speaker(case).say(root) or "nothing at all"


class _Speaker:
    def __init__(self, case: bool) -> None:
        self.case = case

    def say(self, node: Node) -> str:
        match node:
            case Literal():
                return _quoted(node.octets)
            case Set():
                return self._set(node.mask)
            case Sequence():
                return ", then ".join(filter(None, map(self.say, node.items)))
            case Choice():
                return "either " + " or ".join(self.say(branch) or "nothing" for branch in node.branches)
            case Repeat():
                return self._repeat(node)
            case Group():
                return f"({self.say(node.item) or 'nothing'}: `%{node.number}`)"
            case Anchor():
                return _ANCHORS[node.kind]
            case Look():
                what = f"({self.say(node.item)})"
                place = "before this place" if node.behind else "behind this place"
                return f"a place with {'no ' if node.negated else ''}{what} {place}"
            case Atomic():
                return self.say(node.item)
            case BackReference():
                return f"the text of `%{node.number}` again"
            case Conditional():
                return f"if `%{node.number}` matched ({self.say(node.yes)}), else ({self.say(node.no) or 'nothing'})"
            case _:  # Keep
                return "(the match `%0` begins here)"

    def _repeat(self, node: Repeat) -> str:
        item = node.item
        if isinstance(item, Set) and item.mask in (ALL, NOT_LF) and node.high is None and node.low < 2:
            within = " in the same line" if item.mask == NOT_LF else ""
            return f"anything{within}" if not node.low else f"something{within}"
        what = self.say(item)
        if contains(item, Sequence, Choice) and not isinstance(item, Group):
            what = f"({what})"
        match node.low, node.high:
            case 0, 1:
                return f"perhaps {what}"
            case 0, None:
                return f"any number of times {what}"
            case low, None:
                return f"{_times(low)} or more {what}"
            case low, high if low == high:
                return f"{_times(low)} {what}"
            case low, high:
                return f"{low} to {high} times {what}"

    def _set(self, mask: int) -> str:
        if mask in _SETS:
            return _SETS[mask]
        if not self.case:
            # Both cases are in it; one says enough.
            mask &= ~(UPPER & mask >> 32)
        inverse = ALL ^ mask
        if mask.bit_count() > 128:
            left_out = self._ranges(inverse & ~LF) if mask | LF != ALL else self._ranges(inverse)
            return f"any character but {left_out}"
        return f"one of {self._ranges(mask)}" if mask.bit_count() > 1 else self._ranges(mask)

    def _ranges(self, mask: int) -> str:
        found: list[str] = []
        octet = 0
        while octet < 256:
            if not mask >> octet & 1:
                octet += 1
                continue
            last = octet
            while last < 255 and mask >> (last + 1) & 1:
                last += 1
            ends = [_quoted(bytes((end,))) for end in ((octet, last) if last - octet > 1 else range(octet, last + 1))]
            found.append(" to ".join(ends) if last - octet > 1 else " ".join(ends))
            octet = last + 1
        if len(found) > _MOST_RANGES:
            return " ".join(found[:_MOST_RANGES]) + " …"
        return " ".join(found)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _quoted(octets: bytes) -> str:
    """Octets as code in Markdown."""
    text = octets.decode("utf-8", "backslashreplace")
    text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    if text.strip() != text or not text:
        # Blanks at the ends would not be seen.
        text = text.replace(" ", "␣")
    fence = "``" if "`" in text else "`"
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"
