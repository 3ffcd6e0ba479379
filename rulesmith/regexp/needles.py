"""The octets that every text a regexp matches must contain: a cheap test before the search."""

from __future__ import annotations

import re

from rulesmith.regexp.octets import UPPER
from rulesmith.regexp.tree import Anchor, Choice, Group, Keep, Literal, Look, Node, Repeat, Sequence, Set

_MOST = 64
_LETTER = re.compile(rb"[A-Za-z]").search


def needle_of(root: Node, case: bool) -> bytes:
    """The best octets, b"" in doubt: to be looked for in the text, or unless `case` in the lower-cased text.

    The longest, except that the name of a header at the start of a line counts for little: nearly every mail has
    the usual headers.
    """
    finder = _Finder(case)
    finder.take(root)
    finder.end_run()
    return finder.best or finder.header


class _Finder:
    """Follows a tree from left to right; `run` are octets known to stand right before the place reached."""

    __slots__ = ("best", "case", "header", "line_start", "run")

    def __init__(self, case: bool) -> None:
        self.case = case
        self.run = b""
        self.best = b""
        self.header = b""
        self.line_start = False  # does the run begin a line?

    def end_run(self) -> None:
        run = self.run[:_MOST]
        if self.line_start and run.rstrip(b" ").endswith(b":"):
            if len(run) > len(self.header):
                self.header = run
        elif len(run) > len(self.best) and (len(run) > 2 or not self.header):
            self.best = run
        self.run = b""
        self.line_start = False

    def take(self, node: Node) -> None:
        if isinstance(node, Literal):
            self._literal(node)
        elif isinstance(node, Sequence):
            for item in node.items:
                self.take(item)
        elif isinstance(node, Group):
            self.take(node.item)
        elif isinstance(node, Anchor):
            if "line-start" in node.kind and not self.run:
                self.line_start = True
        elif isinstance(node, Set):
            self._set(node.mask)
        elif isinstance(node, Repeat):
            self._repeat(node)
        elif isinstance(node, Choice):
            self._choice(node)
        elif not isinstance(node, (Look, Keep)):
            self.end_run()

    def _literal(self, node: Literal) -> None:
        if not self.case:
            self.run += node.octets.lower()
        elif node.fold and _LETTER(node.octets):
            self.end_run()
        else:
            self.run += node.octets

    def _set(self, mask: int) -> None:
        if not self.case:
            mask = mask & ~UPPER | (mask & UPPER) << 32
        if mask and not mask & (mask - 1):
            self.run += bytes((mask.bit_length() - 1,))
        else:
            self.end_run()

    def _repeat(self, node: Repeat) -> None:
        if not node.low:
            self.end_run()
            return
        exact = _exact(node.item, self.case)
        if exact is None:
            self.end_run()
            self.take(node.item)
            self.end_run()
            return
        self.run += exact * min(node.low, _MOST)
        if node.high != node.low:
            self.end_run()
            self.run = exact  # the last time stands right before what follows

    def _choice(self, node: Choice) -> None:
        found = {needle_of(branch, self.case) for branch in node.branches}
        self.end_run()
        if len(found) == 1:
            self.run = found.pop()
            self.end_run()


def _exact(node: Node, case: bool) -> bytes | None:
    """The octets that the node is, where it is always the same ones."""
    finder = _Finder(case)
    if isinstance(node, (Literal, Set)):
        finder.take(node)
        return finder.run or None
    return None
