"""`lmtp` hands the message to an LMTP server.

Syntax: `lmtp server "HOST"`, with `port PORT`, `from "ADDRESS"` and `to "ADDRESS"` in this order; a HOST that starts
with `/` is the path of a Unix socket

RFC 2033, port 24 unless another is given. Sender and recipient are as in `smtp`.

Example:

    action "inbox" lmtp server "/run/dovecot/lmtp" to "user@example.com"
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
    host, port = scope.server(server, "24")
    return (
        host,
        port,
        None if sender is None else scope.template(sender),
        None if recipient is None else scope.template(recipient),
    )


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    host, port, _, recipient = args
    # "(null)" is what fdm prints, and what people compare with.
    whom = b"(null)" if recipient is None else shown(recipient)
    if host[:1] == b"/":
        return b'lmtp-unix "%s" to "%s"' % (host, whom)
    return b'lmtp-inet "%s" port "%s" to "%s"' % (host, port, whom)


def perform(args: tuple[bytes, bytes, Template | None, Template | None], run: Run, user: User) -> Asking:
    host, port, sender, recipient = args
    who = (host, port, None if sender is None else run.expand(sender, breaks=True))
    to = None if recipient is None else run.expand(recipient, breaks=True)
    yield (DELIVER, "lmtp", (*who, to), user, run.message.raw)
    run.verdict.stored += 1
