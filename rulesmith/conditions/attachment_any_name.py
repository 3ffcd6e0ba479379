"""`attachment any-name` is true if the file name of any MIME part matches.

Syntax: `attachment any-name "PATTERN"`

PATTERN is a shell pattern (fnmatch, upper and lower case the same, `*` also matches `/`); its tags are replaced for
each message. Parts without a name (parameter `name` or `filename`) are passed over.

Example:

    match attachment any-name "*.exe" action "junk"
"""

from __future__ import annotations

from rulesmith.mail import glob
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
    (pattern,) = phrase.args
    return (scope.template(pattern, "invalid string"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'attachment any-name "%s"' % shown(args[0])


ASKS = False


def holds(args: tuple[Template], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    pattern = run.expand(args[0])
    return any(name is not None and glob.matches(pattern, name, True) for _, name, _, _ in run.message.parts())
