"""`action` runs other actions.

Syntax: `action "NAME"` or `actions { "NAME" "NAME" }`

Names are shell patterns (fnmatch) over the actions of the configuration, their tags replaced for each message. A rule
may expand three such items, a lambda four. A name without tags that no action has is reported when the configuration
is read; in a run it stops the messages that reach it.

Example:

    action "both" { action "inbox" action "copy" }
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
    (names,) = phrase.args
    return (scope.listed(names, "invalid action name"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"action " + b" ".join(b'"%s"' % shown(name) for name in args[0])
