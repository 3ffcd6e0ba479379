"""Does a regexp match other texts with PCRE2 (fdm 2.2 as built on Alpine) than with POSIX (Debian's fdm)?

Only the verdict counts: which of several alternatives or how many repeats a capture shows is no difference here, nor
is NUL, which `.` does not match in POSIX and which mail does not have.
"""

from __future__ import annotations

import re

from rulesmith.regexp.automaton import takes_nothing
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import parse
from rulesmith.regexp.octets import LF, NOT_LF
from rulesmith.regexp.posix_parser import DOT
from rulesmith.regexp.tree import (
    Anchor,
    Atomic,
    Choice,
    Group,
    Literal,
    Look,
    Node,
    Repeat,
    Sequence,
    Set,
    children,
)

_GNU = {
    b"<": "\\< is a plain < in PCRE2 and the start of a word in POSIX",
    b">": "\\> is a plain > in PCRE2 and the end of a word in POSIX",
    b"`": "\\` is a plain ` in PCRE2 and the start of the text in POSIX",
    b"'": "\\' is a plain ' in PCRE2 and the end of the text in POSIX",
}


def differs(source: bytes, case: bool) -> str | None:
    """In what way the meaning differs, as one clause; None where it does not, or where both refuse it."""
    trees: list[Node] = []
    errors: list[RegexpError | None] = []
    for dialect in ("pcre", "posix"):
        try:
            trees.append(parse(source, case, dialect).root)
            errors.append(None)
        except RegexpError as error:
            errors.append(error)
    pcre, posix = errors
    if pcre is None and posix is None:
        try:
            found = _difference(_normal(trees[0], 0), _normal(trees[1], 0))
        except RecursionError:
            # Nobody can read so many parentheses inside each other; nor is it said that there is a difference.
            return None
        return found and _reason(source, *found)
    if posix is not None and posix.refused:
        return None if pcre is not None and pcre.refused else f"POSIX refuses it: {posix.message}"
    if pcre is not None and pcre.refused:
        return f"PCRE2 refuses it: {pcre.message}"
    return "it uses what only one of PCRE2 and POSIX has"


def _normal(node: Node, rest: int) -> Node:
    """The same texts, in a form that is equal for equal texts in most cases; `rest`: octets taken behind it."""
    if isinstance(node, Literal):
        return node.but(fold=node.fold and node.octets.upper() != node.octets.lower())
    if isinstance(node, Set):
        return Set(NOT_LF) if node.mask == DOT else node
    if isinstance(node, Anchor):
        # Behind the very last LF nothing is left to take.
        return Anchor("line-start") if rest and node.kind == "any-line-start" else node
    if isinstance(node, Sequence):
        return _normal_sequence(node, rest)
    if isinstance(node, Choice):
        return Choice(tuple(sorted([_normal(branch, rest) for branch in node.branches], key=repr)))
    if isinstance(node, Repeat):
        return _normal_repeat(node, rest)
    if isinstance(node, (Group, Look, Atomic)):
        return node.but(item=_normal(node.item, rest))
    return node


def _normal_sequence(node: Sequence, rest: int) -> Node:
    items: list[Node] = []
    for item in reversed(node.items):
        normal = _normal(item, rest)
        rest += not takes_nothing(item)
        for part in reversed(normal.items if isinstance(normal, Sequence) else (normal,)):
            last = items[-1] if items else None
            if isinstance(part, Literal) and isinstance(last, Literal):
                items[-1] = Literal(part.octets + last.octets, part.fold or last.fold)
            else:
                items.append(part)
    return items[0] if len(items) == 1 else Sequence(tuple(reversed(items)))


def _normal_repeat(node: Repeat, rest: int) -> Node:
    item, low, high = _normal(node.item, rest), node.low, node.high
    simple = ((0, None), (1, None), (0, 1))
    if isinstance(item, Repeat) and not item.possessive and (low, high) in simple and (item.low, item.high) in simple:
        low, high = low * item.low, 1 if high == item.high == 1 else None
        item = item.item
    return Repeat(item, low, high, False, node.possessive)


def _difference(pcre: Node, posix: Node) -> tuple[Node, Node] | None:
    """The first two nodes that stand for each other and are not the same."""
    if pcre == posix:
        return None
    mine, other = children(pcre), children(posix)
    if type(pcre) is type(posix) and len(mine) == len(other):
        for one, another in zip(mine, other, strict=True):
            found = _difference(one, another)
            if found:
                return found
    return pcre, posix


def _reason(source: bytes, pcre: Node, posix: Node) -> str:
    if isinstance(pcre, Set) and isinstance(posix, Set):
        if pcre.mask ^ posix.mask == LF:
            return "its negated class also takes a line end in PCRE2, and so runs over several lines"
        if b"\\" not in source:
            return "one of its classes has other members in PCRE2 than in POSIX"
    if isinstance(pcre, Anchor) and isinstance(posix, Anchor):
        return "^ also matches behind the last line end in POSIX"
    if isinstance(pcre, Repeat) and isinstance(posix, Repeat):
        if pcre.possessive:
            return "a + behind another quantifier makes it possessive in PCRE2 and repeats it in POSIX"
        return "a ? behind another quantifier makes it lazy in PCRE2 and optional in POSIX"
    plain = re.sub(rb"\\[^A-Za-z<>`']", b"", source)
    gnu = re.search(rb"\\([<>`'])", plain)
    if gnu:
        return _GNU[gnu[1]]
    if re.search(rb"(?<!\\)\[[^]]*\\", source):
        return "a backslash inside brackets is a plain backslash in POSIX"
    letter = re.search(rb"\\([A-Za-z])(?<![bBwWsS])", plain)
    if letter:
        return f"\\{chr(plain[letter.start() + 1])} is a plain letter in POSIX"
    return "PCRE2 and POSIX read it in different ways"
