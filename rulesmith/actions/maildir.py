"""`maildir` delivers to a maildir.

Syntax: `maildir "PATH"`

Tags and a leading `~` of PATH are replaced for each message. Missing folders are made (mode 0777 without the bits of
`file-umask`) unless `no-create` is set. The file is written to `tmp`, synced, and moved to `new`. The tag `mail_file` then
holds its path.

Example:

    action "inbox" maildir "~/Maildir"
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
    (path,) = phrase.args
    return (scope.run_path(path, "invalid path"),)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'maildir "%s"' % shown(args[0])
