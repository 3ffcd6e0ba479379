"""`attachment any-type` is true if the media type of any MIME part matches.

Syntax: `attachment any-type "PATTERN"`

PATTERN is a shell pattern (fnmatch, upper and lower case the same, `*` also matches `/`); its tags are replaced for
each message. The multipart containers are parts too, so `"multipart/*"` is true for every multipart message.

Example:

    match attachment any-type "application/zip" action "zip"
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
    return b'attachment any-type "%s"' % shown(args[0])


ASKS = False


def holds(args: tuple[Template], run: Run) -> bool | None:
    if run.message.unknown is not None:
        return None
    pattern = run.expand(args[0])
    return any(glob.matches(pattern, kind, True) for kind, _, _, _ in run.message.parts())
