"""The table by which a configuration is parsed: Lark's for `grammar/fdm.lark`, kept in `fdm.table` beside it."""

from __future__ import annotations

import os
import zlib
from io import FileIO  # pathlib is dear
from typing import TYPE_CHECKING, Any, NamedTuple

from rulesmith.syntax.builder import Builder

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "grammar")


class Rule(NamedTuple):
    """What to do with the children of a rule that has ended.

    `gaps` are the places among them of what was left out; `spread` those of children that others stand for, the last
    first; `build` makes their node.
    """

    origin: str
    size: int
    gaps: tuple[int, ...]
    spread: tuple[int, ...]
    build: Callable[[list[Any]], Any]


class Rows(dict[int, dict[str, int]]):
    """What follows a state, for each symbol: the next state, or `~` the rule that has ended.

    A row is read when it is needed: a configuration needs a tenth of them.
    """

    def __init__(self, sets: list[str], states: list[str]) -> None:
        super().__init__()
        self.sets = sets
        self.states = states

    def __missing__(self, state: int) -> dict[str, int]:
        steps, *ends = self.states[state].split("|")
        words = steps.split()
        row = self[state] = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        for end in ends:
            rule, of_set = end.split()
            row |= dict.fromkeys(self.sets[int(of_set)].split(), ~int(rule))
        return row


class Table(NamedTuple):
    """All of it; `end` is the state behind a whole text."""

    rules: list[Rule]
    rows: Rows
    end: int


_loaded: list[Table] = []


def load_table() -> Table:
    """The table, read once per process. Raises OSError."""
    if not _loaded:
        rules, sets, states = _text().rstrip().split("\n\n", 2)
        builder = Builder()
        rows = Rows(sets.split("\n"), states.split("\n"))
        _loaded.append(Table([_rule(line, builder) for line in rules.split("\n")], rows, rows[0]["start"]))
    return _loaded[0]


def stamp(grammar: bytes, text: bytes) -> bytes:
    """The first line of `fdm.table`: which grammar it is of, and that the rest is whole."""
    return b"%08x %08x\n" % (zlib.crc32(grammar), zlib.crc32(text))


def _text() -> str:
    grammar = _read("fdm.lark")
    first, end, text = _read("fdm.table").partition(b"\n")
    if first + end == stamp(grammar, text):
        return text.decode("ascii")
    from rulesmith.syntax.lalr import table_of  # dear; the grammar has just been edited, or the table is damaged

    return table_of(grammar.decode())


def _read(name: str) -> bytes:
    with FileIO(os.path.join(FOLDER, name)) as file:
        return file.readall()


def _rule(line: str, builder: Builder) -> Rule:
    origin, method, *signs = line.split()
    children = signs[0] if signs else ""
    build = {"=": _only, "*": _all}.get(method) or getattr(builder, method)
    gaps = tuple([at for at, sign in enumerate(children) if sign == "_"])
    spread = tuple([at for at, sign in enumerate(children) if sign == "*"][::-1])
    return Rule(origin, len(children) - len(gaps), gaps, spread, build)


def _only(children: list[Any]) -> Any:
    return children[0]


def _all(children: list[Any]) -> list[Any]:
    return children
