"""`imaps` stores the message in a folder of an IMAP server, over TLS.

Syntax: as `imap`, without `starttls`

RFC 8314 section 3.2, port `imaps` unless another is given. The certificate is checked if `verify-certificates` is set,
unless `no-verify` is given.

Example:

    action "copy" imaps server "mail.example.org" user "me" pass "secret" folder "Copies"
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
    (server, user, password, folder, flags) = phrase.args
    host, port = scope.server(server, "imaps")
    name, secret = scope.login(user, password, host, phrase.span, True)
    if "starttls" in flags:
        scope.error(
            "tls-twice",
            phrase,
            "an imaps connection is encrypted already",
            hint="imap server … starttls",
            fdm="use either imaps or set starttls",
        )
    where = b"INBOX" if folder is None else scope.template(folder)
    return host, port, name, secret, where, tuple(flags)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'imaps server "%s" port %s folder "%s"' % (args[0], args[1], shown(args[4]))


def perform(args: tuple[bytes, bytes, bytes, bytes, Template, tuple[str, ...]], run: Run, user: User) -> Asking:
    host, port, name, password, folder, flags = args
    place = run.expand(folder, breaks=True)
    yield (DELIVER, "imaps", (host, port, name, password, place, flags), user, run.message.raw)
    run.verdict.stored += 1
