"""`maildir` delivers to a maildir.

Syntax: `maildir "PATH"`

Tags and a leading `~` of PATH are replaced for each message. Missing folders are made (mode 0777 without the bits of
`file-umask`) unless `no-create` is set. The file is written to `tmp`, synced, and moved to `new`. The tag `mail_file`
then holds its path.

Example:

    action "inbox" maildir "~/Maildir"
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
    return b'maildir "%s"' % shown(args[0])


def perform(args: tuple[Template], run: Run, user: User) -> Asking:
    path = yield from run.home_path(args[0], user[3])
    if not path:
        raise Failure("empty path")
    tags = yield (DELIVER, "maildir", (path,), user, run.message.raw)
    run.message.tags.update(tags)
    run.verdict.stored += 1
