"""The tree of a configuration: what was written, with places, before any meaning.

Places are left out of comparisons, so that two trees are equal when they say the same.
Strings are UTF-8 decoded with surrogateescape (`Source`); a value of None is not known, because it comes
from a shell command that was not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rulesmith.value import Value

if TYPE_CHECKING:
    from rulesmith.source import Source, Span

PieceKind = Literal["double", "single", "macro", "command"]
Join = Literal["and", "or"]


class Node(Value):
    """Part of a tree."""

    _beside = frozenset({"span", "defined", "macros", "sources", "broken"})


class MacroUse(Node):
    """A macro where it was used: `span` is the `$name` or `${name}`, `defined` its definition in the file.

    `value` is empty for a macro that nobody defined; `known` tells that from a macro defined as empty.
    """

    name: str  # with its sigil
    value: str | None
    known: bool
    span: Span
    defined: Span | None


class Piece(Node):
    """One part of a string: "…", '…', $name or $(…). `written` is its source text, quotes included."""

    kind: PieceKind
    written: str
    value: str | None
    span: Span
    macros: tuple[MacroUse, ...] = ()  # used in this part, in order


class Text(Node):
    """A string: pieces joined by `+`. `value` is what fdm's parser sees: macros and escapes resolved."""

    value: str | None
    pieces: tuple[Piece, ...]
    span: Span


class Number(Node):
    """A number, size (octets) or time (seconds). `value` has the unit multiplied in."""

    value: int | None
    written: str  # "10", "%name", "%(cmd)"
    unit: str | None  # as written, "K", "days"
    span: Span


class Decimal(Node):
    """A number that may have a sign and decimals: only scores have them."""

    value: float
    written: str
    span: Span


class Regexp(Node):
    """A regular expression; `case` where letter case counts."""

    text: Text
    case: bool
    span: Span


class Server(Node):
    """`server HOST [port PORT]`."""

    host: Text
    port: Text | Number | None
    span: Span


class Phrase(Node):
    """A condition, an action item or a source: its word and its arguments, positional.

    The shapes are the grammar's promise; docs/design.md lists them.
    """

    word: str
    args: tuple[Any, ...]
    span: Span


class Condition(Node):
    """One condition of a rule, with what joins it to those before: strictly left to right."""

    join: Join | None  # None for the first of a rule
    negated: bool
    phrase: Phrase
    span: Span


class Set(Node):
    """`set OPTION …`; `args` are Text, Number, and words as str, in the order written."""

    option: str
    args: tuple[Any, ...]
    span: Span


class MacroDefinition(Node):
    """`$name = "…"` or `%name = 1`; what uses it has its value already."""

    name: str  # with its sigil
    value: Text | Number
    span: Span


class Cache(Node):
    """`cache PATH [expire TIME]`; `expire` in seconds."""

    path: Text
    expire: Number | None
    span: Span


class Account(Node):
    """`account NAME …`: where mail comes from."""

    name: Text
    disabled: bool
    users: tuple[Text, ...]
    fetch: Phrase
    keep: bool
    span: Span


class Action(Node):
    """`action NAME …`: things to do, in order."""

    name: Text
    users: tuple[Text, ...]
    items: tuple[Phrase, ...]
    span: Span


class Rule(Node):
    """`match …`: exactly one of `names` (action "x"), `items` (a lambda) and `block` (nested) is not None."""

    conditions: tuple[Condition, ...]
    users: tuple[Text, ...]
    names: tuple[Text, ...] | None
    items: tuple[Phrase, ...] | None
    block: tuple[Statement, ...] | None
    continues: bool
    span: Span


Statement = Set | MacroDefinition | Cache | Account | Action | Rule


class Config(Node):
    """A whole configuration, included files spliced in. `sources` are the main file and every included one.

    `broken` are the statements that had a fault but whose name could be read: their word ("account", "action",
    "cache") and that name, so that what they define is not reported as missing as well.
    """

    statements: tuple[Statement, ...]
    sources: tuple[Source, ...]
    broken: tuple[tuple[str, Text], ...] = ()
