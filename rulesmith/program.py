"""The shape of a compiled configuration: plain tuples that `marshal` can store.

Written down once, here; the compiler makes it, the engine and the doors read it.
"""

from __future__ import annotations

# Bumped whenever a shape below changes; an older program file is then thrown away.
FORMAT = 8

# Where a shell command of the configuration was not run, an argument (a template, number or pattern) is
# (what is written there, UNKNOWN): `check` and `dry-run` show it, and no real run ever meets it.
UNKNOWN = "unknown"

# The settings that hold for everybody on a machine, before those of each configuration (compiler/site.py).
SITE_FILE = "/etc/rulesmith.conf"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # A string that is expanded at run time: octets, or (raw, parts) where it holds tags (see template.py).
    Template = bytes | tuple[bytes, tuple[Any, ...]]
    # (source after parse-time replacement, code for `re` or None for the empty regexp, flags, needle, dialect, case,
    # plain): regexp/search.py.
    Pattern = tuple[Any, ...]
    # A regexp that is octets: (at the start of a line, ((first octets, place of the capture), ...), what follows later
    # on the line): regexp/plain.py.
    Plain = tuple[bool, tuple[tuple[bytes, tuple[int, int] | None], ...], bytes | None]
    Place = tuple[str, int]  # file and line
    # (join, negated, word, args): join is 0 for the first, 1 for `and`, 2 for `or`.
    Term = tuple[int, bool, str, tuple[Any, ...]]
    Item = tuple[str, tuple[Any, ...], Place]  # word, args
    # (number, place, expression, users, names, items, block, continues); of names (templates), items (a
    # lambda) and block (rules), two are None.
    Rule = tuple[
        int,
        Place,
        tuple[Term, ...],
        tuple[Template, ...],
        tuple[Template, ...] | None,
        tuple[Item, ...] | None,
        "tuple[Rule, ...] | None",
        bool,
    ]
    Action = tuple[bytes, tuple[Template, ...], tuple[Item, ...], Place]  # name, users, items
    # (name, disabled, users, word, args, keep, place)
    Account = tuple[bytes, bool, tuple[Template, ...], str, tuple[Any, ...], bool, Place]
    Cache = tuple[bytes, int]  # path, seconds to expiry (0: never; -1: never, none given)
    # (settings, caches, accounts, actions, rules); loaded from a file, it has stretches of rules (stretches.py).
    Program = tuple[dict[str, Any], tuple[Cache, ...], tuple[Account, ...], tuple[Action, ...], tuple[Rule, ...]]


def is_unknown(argument: object) -> bool:
    """Whether an argument stands for the output of a command that was not run."""
    return isinstance(argument, tuple) and len(argument) == 2 and argument[1] == UNKNOWN


def shown(argument: Any) -> bytes:
    """An argument as `fdm -nvv` prints it: the source of a template or pattern, a number in decimal."""
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, int | float):
        return b"%d" % argument if argument == int(argument) else repr(argument).encode()
    text: bytes = argument[0]
    return text
