"""`add-to-cache` remembers a key in a cache.

Syntax: `add-to-cache "PATH" key "KEY"`

PATH must be one that a `cache` statement declares. Tags of KEY are replaced for each message.
A key that is there already gets a new time. An empty key is not remembered. `to-cache` is the same word.

Example:

    cache "~/.seen" expire 2 weeks
    action "seen" add-to-cache "~/.seen" key "%[message_id]"
"""

from __future__ import annotations

from rulesmith.effects import REMEMBER, Failure
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run, User
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    path, key = phrase.args
    where = scope.load_path(path, "invalid path")
    return where, scope.template(key, "invalid key")


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    path, key = args
    return b'add-to-cache "%s" key "%s"' % (path, shown(key))


def perform(args: tuple[bytes, Template], run: Run, user: User) -> Asking:
    path, template = args
    if path not in run.caches:
        raise Failure(b"cache " + path + b" not declared")
    key = run.expand(template)
    if not key:
        # fdm fails here; a mail without Message-ID has nothing to remember.
        run.note(b"empty key for the cache " + path)
        return
    if run.trace:
        run.trace("saving-to-cache", path, key)
    yield (REMEMBER, path, key)
