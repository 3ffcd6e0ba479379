"""`smtp` sends the message to an SMTP server.

Syntax: `smtp server "HOST"`, with `port PORT`, `from "ADDRESS"` and `to "ADDRESS"` in this order

Plain SMTP without login (RFC 5321), port `smtp` unless another is given. Sender and recipient are the delivery user at
this host unless given; their tags are replaced for each message.

Example:

    action "forward" smtp server "mail.example.org" from "me@example.org" to "you@example.net"
"""

from __future__ import annotations

from rulesmith.effects import DELIVER
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
    server, sender, recipient = phrase.args
    host, port = scope.server(server, "smtp")
    return (
        host,
        port,
        None if sender is None else scope.template(sender),
        None if recipient is None else scope.template(recipient),
    )


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    host, port, _, recipient = args
    return b'smtp server "%s" port %s to "%s"' % (host, port, b"" if recipient is None else shown(recipient))


def perform(args: tuple[bytes, bytes, Template | None, Template | None], run: Run, user: User) -> Asking:
    host, port, sender, recipient = args
    who = (host, port, None if sender is None else run.expand(sender, breaks=True))
    to = None if recipient is None else run.expand(recipient, breaks=True)
    yield (DELIVER, "smtp", (*who, to), user, run.message.raw)
    run.verdict.stored += 1
