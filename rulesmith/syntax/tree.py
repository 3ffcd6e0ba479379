"""The tree of a configuration: what was written, with places, before any meaning.

Every `span` is left out of comparisons, so that two trees are equal when they say the same.
Strings are UTF-8 decoded with surrogateescape (`Source`); a value of None is not known, because it comes
from a shell command that was not run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rulesmith.source import Source, Span

PieceKind = Literal["double", "single", "macro", "command"]
Join = Literal["and", "or"]


@dataclass(frozen=True, slots=True)
class MacroUse:
    """A macro where it was used: `span` is the `$name` or `${name}`, `defined` its definition in the file.

    `value` is empty for a macro that nobody defined; `known` tells that from a macro defined as empty.
    """

    name: str  # with its sigil
    value: str | None
    known: bool
    span: Span = field(compare=False)
    defined: Span | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a string: "…", '…', $name or $(…). `written` is its source text, quotes included."""

    kind: PieceKind
    written: str
    value: str | None
    span: Span = field(compare=False)
    macros: tuple[MacroUse, ...] = field(default=(), compare=False)  # used in this part, in order


@dataclass(frozen=True, slots=True)
class Text:
    """A string: pieces joined by `+`. `value` is what fdm's parser sees: macros and escapes resolved."""

    value: str | None
    pieces: tuple[Piece, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, size (octets) or time (seconds). `value` has the unit multiplied in."""

    value: int | None
    written: str  # "10", "%name", "%(cmd)"
    unit: str | None  # as written, "K", "days"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number that may have a sign and decimals: only scores have them."""

    value: float
    written: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Regexp:
    """A regular expression; `case` where letter case counts."""

    text: Text
    case: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Server:
    """`server HOST [port PORT]`."""

    host: Text
    port: Text | Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A condition, an action item or a source: its word and its arguments, positional.

    The shapes are the grammar's promise; docs/design.md lists them.
    """

    word: str
    args: tuple[Any, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule, with what joins it to those before: strictly left to right."""

    join: Join | None  # None for the first of a rule
    negated: bool
    phrase: Phrase
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Set:
    """`set OPTION …`; `args` are Text, Number, and words as str, in the order written."""

    option: str
    args: tuple[Any, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class MacroDefinition:
    """`$name = "…"` or `%name = 1`; what uses it has its value already."""

    name: str  # with its sigil
    value: Text | Number
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Cache:
    """`cache PATH [expire TIME]`; `expire` in seconds."""

    path: Text
    expire: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Account:
    """`account NAME …`: where mail comes from."""

    name: Text
    disabled: bool
    users: tuple[Text, ...]
    fetch: Phrase
    keep: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Action:
    """`action NAME …`: things to do, in order."""

    name: Text
    users: tuple[Text, ...]
    items: tuple[Phrase, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """`match …`: exactly one of `names` (action "x"), `items` (a lambda) and `block` (nested) is not None."""

    conditions: tuple[Condition, ...]
    users: tuple[Text, ...]
    names: tuple[Text, ...] | None
    items: tuple[Phrase, ...] | None
    block: tuple[Statement, ...] | None
    continues: bool
    span: Span = field(compare=False)


Statement = Set | MacroDefinition | Cache | Account | Action | Rule


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration, included files spliced in. `sources` are the main file and every included one.

    `broken` are the statements that had a fault but whose name could be read: their word ("account", "action",
    "cache") and that name, so that what they define is not reported as missing as well.
    """

    statements: tuple[Statement, ...]
    sources: tuple[Source, ...] = field(compare=False)
    broken: tuple[tuple[str, Text], ...] = field(default=(), compare=False)
