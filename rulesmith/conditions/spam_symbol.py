"""`spam symbol` is true if a test of the spam scan with this name has hit.

Syntax: `spam symbol "PATTERN"`

Needs `set scan`. PATTERN is a shell pattern (fnmatch, case-sensitive) over the names of rspamd's symbols, whatever
score they have; its tags are replaced for each message. Without a verdict it is false.

Example:

    match spam symbol "PHISHED_*" or spam symbol "CLAM_VIRUS" action "junk"
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
    return b'spam symbol "%s"' % shown(args[0])


ASKS = False


def holds(args: tuple[Template], run: Run) -> bool:
    verdict = run.message.verdict
    if verdict is None:
        return False
    pattern = run.expand(args[0])
    return any(glob.matches(pattern, name) for name in verdict["symbols"])
