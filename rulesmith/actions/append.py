"""`append` writes the message to the end of a file.

Syntax: `append "PATH"`

Tags and a leading `~` of PATH are replaced for each message. No folder is made, nothing is locked and no separator is
written; use `mbox` for a mailbox.

Example:

    action "log" append "~/mail.log"
"""

from __future__ import annotations

from rulesmith.effects import DELIVER, Failure
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
    (path,) = phrase.args
    return (scope.run_path(path, "invalid path"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'append "%s"' % shown(args[0])


def perform(args: tuple[Template], run: Run, user: User) -> Asking:
    path = yield from run.home_path(args[0], user[3])
    if not path:
        raise Failure("empty command")
    yield (DELIVER, "append", (path,), user, run.message.raw)
    run.verdict.stored += 1
