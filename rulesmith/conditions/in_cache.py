"""`in-cache` is true if a key is in a cache.

Syntax: `in-cache "PATH" key "KEY"`

PATH must be one that a `cache` statement declares, spelt the same after its tags and `~` are replaced. The tags of
KEY are replaced for each message. An empty key is in no cache.

Example:

    cache "~/.seen" expire 2 weeks
    match in-cache "~/.seen" key "%[message_id]" action drop
"""

from __future__ import annotations

from rulesmith.effects import LOOK_UP, Failure
from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run
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
    return b'in-cache "%s" key "%s"' % (path, shown(key))


ASKS = True


def inquire(args: tuple[bytes, Template], run: Run) -> Asking:
    path, template = args
    if path not in run.caches:
        raise Failure(b"cache " + path + b" not declared")
    key = run.expand(template)
    if not key:
        # fdm aborts here; a mail without Message-ID is simply not in the cache.
        run.note(b"empty key for the cache " + path)
        return False
    if run.trace:
        run.trace("matching-to-cache", path, key)
    return (yield (LOOK_UP, path, key))
