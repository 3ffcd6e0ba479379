"""The canonical layout: a statement a line, blocks indented, one blank between words, long rules broken.

Only the space between tokens changes. An empty line between statements stays, more of them become one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rulesmith.layout.roles import CLOSES, INSIDE, ITEMS, OPENS, roles
from rulesmith.layout.tokens import COMMENT, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.layout.tokens import Token
    from rulesmith.source import Source

WIDTH = 100
_STEP = "    "
_STRINGS = {"STR", "STRMACRO", "STRCOMMAND"}
_SIZES = {"BYTES", "KILOBYTES", "MEGABYTES", "GIGABYTES"}
_LOGIN = {"USER", "USERS", "PASS", "FOLDER", "FOLDERS", "GROUP", "GROUPS", "CACHE"}
_LONGEST_UNIT = len("KB")


def lay_out(source: Source) -> str:
    """The text of a configuration in its canonical layout. Raises Unreadable."""
    page = _Page()
    statement: list[Token] = []
    tokens = tokenize(source)
    depth = 0
    for token, role in zip(tokens, roles(tokens), strict=True):
        if role == INSIDE:
            statement.append(token)
            continue
        if role == OPENS:
            page.statement([*statement, token], _STEP * depth)
            statement = []
            depth += 1
            page.opened = True
            continue
        page.statement(statement, _STEP * depth)
        statement = []
        if token.terminal == COMMENT:
            page.comment(token, _STEP * depth)
        elif role == CLOSES:
            depth = max(0, depth - 1)
            page.lines.append(_STEP * depth + "}")
            page.opened = False
        else:
            statement.append(token)
    page.statement(statement, _STEP * depth)
    return "".join(f"{line}\n" for line in page.lines)


class _Page:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.opened = True  # whether no line has been written since the start, or since a block began

    def blank(self, token: Token) -> None:
        """An empty line where there was one, but not at the start."""
        if token.blank and not self.opened:
            self.lines.append("")
        self.opened = False

    def comment(self, token: Token, indent: str) -> None:
        """A comment between statements, or behind one."""
        if not token.fresh:
            self.lines[-1] += f"  {token.text}"
            return
        self.blank(token)
        self.lines.append(indent + token.text)

    def statement(self, tokens: list[Token], indent: str) -> None:
        """One statement, in as many lines as it needs."""
        if not tokens:
            return
        self.blank(tokens[0])
        if _fits(tokens, indent):
            self.lines.append(indent + _joined(tokens))
            return
        for number, segment in enumerate(_cut(tokens, _joins(tokens))):
            self._segment(segment, indent if not number else indent + _STEP)

    def _segment(self, tokens: list[Token], indent: str) -> None:
        """A part of a rule; its last list gets a line for each element if the part is too long."""
        place = None if _fits(tokens, indent) else _last_list(tokens)
        if place is None:
            self._line(tokens, indent)
            return
        opens, closes = place
        self._line(tokens[: opens + 1], indent)
        inside = tokens[opens + 1 : closes]
        for element in _cut(inside, _elements(inside)):
            self._line(element, indent + _STEP)
        self._line(tokens[closes:], indent)

    def _line(self, tokens: list[Token], indent: str) -> None:
        """Tokens on one line, but that a comment ends a line."""
        waiting: list[Token] = []
        for token in tokens:
            if token.terminal != COMMENT:
                waiting.append(token)
                continue
            if waiting:
                self.lines.append(indent + _joined(waiting))
                waiting = []
            if token.fresh:
                self.lines.append(indent + token.text)
            else:
                self.lines[-1] += f"  {token.text}"
        if waiting:
            self.lines.append(indent + _joined(waiting))


def _fits(tokens: list[Token], indent: str) -> bool:
    if any(token.terminal == COMMENT for token in tokens):
        return False
    return max(map(len, (indent + _joined(tokens)).split("\n"))) <= WIDTH


def _joined(tokens: list[Token]) -> str:
    text = tokens[0].text
    for before, token in pairwise(tokens):
        text += token.text if _touch(before, token) else f" {token.text}"
    return text


def _touch(before: Token, token: Token) -> bool:
    if token.terminal in ("COMMA", "RPAR"):
        return before.terminal != "COMMA"
    if before.terminal == "LPAR":
        return True
    return before.terminal == "NUMBER" and token.terminal in _SIZES and len(token.text) <= _LONGEST_UNIT


def _cut(tokens: list[Token], starts: Callable[[int], bool]) -> list[list[Token]]:
    """The tokens cut before each place where one starts."""
    found: list[list[Token]] = [[]]
    for at, token in enumerate(tokens):
        if starts(at) and found[-1]:
            found.append([])
        found[-1].append(token)
    return [each for each in found if each]


def _joins(tokens: list[Token]) -> Callable[[int], bool]:
    """Where a rule may be broken: before `and`, `or` and its action; an account: before what stands for a login."""
    rule, account = tokens[0].terminal == "MATCH", tokens[0].terminal == "ACCOUNT"
    depth = 0
    places = set()
    acted = False
    before = ""
    for at, token in enumerate(tokens):
        terminal = token.terminal
        depth += (terminal == "LBRACE") - (terminal == "RBRACE")
        if rule and not depth and not acted:
            if terminal in ("AND", "OR"):
                places.add(at)
            elif terminal in ("ACTION", "ACTIONS") and before != "SPAM":
                acted = True
                places.add(at)
        elif account and not depth and terminal in _LOGIN:
            places.add(at)
        before = terminal if terminal != COMMENT else before
    return places.__contains__


def _elements(tokens: list[Token]) -> Callable[[int], bool]:
    """Where the elements of a list start: each string, or each item."""
    real = [token.terminal for token in tokens if token.terminal != COMMENT]
    strings = bool(real) and real[0] in _STRINGS
    places = set()
    depth = 0
    before = ""
    for at, token in enumerate(tokens):
        terminal = token.terminal
        if not depth and (
            (strings and terminal in _STRINGS and before != "PLUS")
            or (not strings and terminal in ITEMS and before not in ("ACTION", "ACTIONS"))
        ):
            places.add(at)
        depth += (terminal == "LBRACE") - (terminal == "RBRACE")
        before = terminal if terminal != COMMENT else before
    return places.__contains__


def _last_list(tokens: list[Token]) -> tuple[int, int] | None:
    """The places of the braces of the last list that is in no other; None without one."""
    depth = opens = 0
    found = None
    for at, token in enumerate(tokens):
        if token.terminal == "LBRACE":
            opens = at if not depth else opens
            depth += 1
        elif token.terminal == "RBRACE":
            depth -= 1
            found = (opens, at) if not depth else found
    return found
