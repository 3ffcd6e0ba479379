"""`tagged` is true if the message has a tag of this name.

Syntax: `tagged "PATTERN"`

Tags in the pattern are replaced for each message, then it is compared as a shell pattern (fnmatch, case-sensitive)
with the names of all tags. The value does not matter, also not an empty one.

Example:

    match "^X-Spam: yes" in headers action tag "spam" continue
    match tagged "spam" action "junk"
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
    (name,) = phrase.args
    return (scope.template(name, "invalid tag"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b"tagged " + shown(args[0])


ASKS = False


def holds(args: tuple[Template], run: Run) -> bool:
    pattern = run.expand(args[0])
    return any(glob.matches(pattern, name) for name in run.message.tags)
