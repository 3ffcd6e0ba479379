"""`spam action` is true if the spam scan advises one of these actions.

Syntax: `spam action "ACTION"` or `spam action { "ACTION" "ACTION" }`

Needs `set scan`. The actions are those of rspamd, spelt as in its replies: `no action`, `greylist`, `add header`,
`rewrite subject`, `soft reject`, `reject`; other names are reported, because few scanners have them. Tags are replaced
for each message. Without a verdict it is false. The message is here already: nothing but the rules rejects it.

Example:

    match spam action { "add header" "rewrite subject" "reject" } action "junk"
"""

from __future__ import annotations

from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    (names,) = phrase.args
    return (scope.listed(names, "invalid action name"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"spam action " + b" ".join(b'"%s"' % shown(name) for name in args[0])


ASKS = False


def holds(args: tuple[tuple[Template, ...]], run: Run) -> bool:
    verdict = run.message.verdict
    return verdict is not None and verdict["action"] in [run.expand(name) for name in args[0]]
