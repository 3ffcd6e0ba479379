"""`mbox` delivers to the end of an mbox file.

Syntax: `mbox "PATH"` or `mbox "PATH" compress`

Tags and a leading `~` of PATH are replaced for each message. The file is locked as `lock-types` says. With `compress`
each message is added as one gzip member to PATH with `.gz` at its end. The tag `mbox_file` then holds the path.

Example:

    action "archive" mbox "~/Mail/%[mail_year]" compress
"""

from __future__ import annotations

from rulesmith.effects import DELIVER, Failure
from rulesmith.mail import address, mbox_text
from rulesmith.program import shown
from rulesmith.template import BREAKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Asking, Run, User
    from rulesmith.mail.message import Message
    from rulesmith.program import Template
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    path, compress = phrase.args
    return scope.run_path(path, "invalid path"), compress


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    path, compress = args
    return b'mbox "%s"%s' % (shown(path), b" compress" if compress else b"")


def perform(args: tuple[Template, bool], run: Run, user: User) -> Asking:
    path = yield from run.home_path(args[0], user[3])
    if not path:
        raise Failure("empty path")
    separator = from_line(run.message, user)
    tags = yield (DELIVER, "mbox", (path, args[1], separator), user, run.message.raw)
    run.message.tags.update(tags)
    run.verdict.stored += 1


def from_line(message: Message, user: User) -> bytes:
    """The separator of an mbox: that of the mbox the mail came from, else its From address and the time.

    Without an address in the From field it names the delivery user (fdm-compatible).
    """
    original = message.tags.get(b"mbox_from")
    if original:
        # A `tag` action may have put anything there; a separator is one line.
        return original.translate(None, BREAKS)
    sender = address.sender(message.raw[: message.body_at])
    return mbox_text.separator(sender or user[0], message.now)
