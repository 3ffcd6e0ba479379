"""From the text of a regexp to a pattern that the engine searches with (see program.py)."""

from __future__ import annotations

import re

from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.needles import needle_of
from rulesmith.regexp.octets import LF
from rulesmith.regexp.pcre_parser import parse_pcre
from rulesmith.regexp.plain import plain_of
from rulesmith.regexp.posix_order import check_references, is_perl_order
from rulesmith.regexp.posix_parser import parse_posix
from rulesmith.regexp.search import ACROSS, FOLDED, LINEAR, LONGEST_FIRST, ONLY_LINEAR, STRAIGHT
from rulesmith.regexp.size import check_size, is_linear_size
from rulesmith.regexp.to_re import ReWriter
from rulesmith.regexp.tree import Group, Repeat, Sequence, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.program import Pattern
    from rulesmith.regexp.tree import Node, Parsed

_UNSETS_OPTIONS = re.compile(rb"\(\?(?:\^|[A-Za-z]*-)").search


def parse(source: bytes, case: bool, dialect: str) -> Parsed:
    """The tree of a regexp in a dialect: "pcre" or "posix"."""
    return parse_posix(source, case) if dialect == "posix" else parse_pcre(source, case)


def lower(source: bytes, case: bool, dialect: str) -> Pattern:
    """The pattern of a regexp (see program.py).

    RegexpError where fdm refuses the regexp or its meaning cannot be given here.
    """
    if not source:
        return source, None, 0, b"", dialect, case, None
    try:
        return _lowered(source, case, dialect)
    except RecursionError:
        # The rules around it take of the same stack.
        raise RegexpError("so many parentheses inside each other cannot be used here", None) from None


def _lowered(source: bytes, case: bool, dialect: str) -> Pattern:
    parsed = parse(source, case, dialect)
    braces = b"{" in source
    if braces:
        check_size(parsed, dialect)
    # Only an option inside the regexp makes some of it mind the case and some not.
    folded = not case and (dialect == "posix" or not _UNSETS_OPTIONS(source))
    writer = ReWriter(folded)
    code, _, _ = writer.write(parsed.root, 0)
    linear = not writer.irregular and (not braces or is_linear_size(parsed.root))
    flags = FOLDED if folded else 0
    if linear:
        flags |= LINEAR
    if writer.straight:
        flags |= STRAIGHT
    if writer.across or _begins_with_loop(parsed.root):
        flags |= ACROSS
    if writer.longest_first:
        flags |= LONGEST_FIRST
    if dialect == "posix" and writer.irregular:
        check_references(parsed.root)
    by_order = dialect == "posix" and not is_perl_order(parsed.root)
    if writer.keeps or writer.empty_loops or by_order or not parsed.in_order:
        if not linear:
            what = "a loop over what may be nothing" if writer.empty_loops or by_order else "\\K or (?|"
            if not writer.irregular:
                raise RegexpError(f"{what} cannot be used here in a regexp with such large repeats", None)
            raise RegexpError(f"{what} cannot be used here together with the rest of this regexp", None)
        flags |= ONLY_LINEAR
    if writer.irregular:
        _check(code)
    plain = plain_of(parsed, folded)
    return source, code, flags, needle_of(parsed.root, case), dialect, case, plain


def _begins_with_loop(node: Node) -> bool:
    """Whether an endless repeat of white space or the like comes first, so that it is tried at every place."""
    while isinstance(node, (Group, Sequence)):
        if isinstance(node, Sequence) and not node.items:
            return False
        node = node.item if isinstance(node, Group) else node.items[0]
    return isinstance(node, Repeat) and node.high is None and isinstance(node.item, Set) and bool(node.item.mask & LF)


def _check(code: bytes) -> None:
    """Whether `re` takes it, asked only where something may be beyond it."""
    try:
        re.compile(code, re.MULTILINE)
    except re.error as error:
        raise RegexpError(f"this cannot be used here ({error.msg})", None) from None


__all__ = ["RegexpError", "lower", "parse"]
