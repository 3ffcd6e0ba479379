"""`remove-from-cache` forgets a key of a cache.

Syntax: `remove-from-cache "PATH" key "KEY"`

PATH must be one that a `cache` statement declares. Tags of KEY are replaced for each message.
A key that is not there is no failure.

Example:

    cache "~/.seen" expire 2 weeks
    action "unseen" remove-from-cache "~/.seen" key "%[message_id]"
"""

from __future__ import annotations

from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    path, key = phrase.args
    where = scope.load_path(path, "invalid path")
    return where, scope.template(key, "invalid key")


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    path, key = args
    return b'remove-from-cache "%s" key "%s"' % (path, shown(key))
