"""`imap` stores the message in a folder of an IMAP server.

Syntax: `imap server "HOST"`, with `port PORT`, `user "USER"`, `pass "PASSWORD"`, `folder "FOLDER"` and the flags
`no-verify`, `no-cram-md5`, `no-plain`, `no-login`, `starttls`, `insecure`, `oauthbearer`, `xoauth2`

RFC 3501 APPEND, port `imap` unless another is given, folder `INBOX` unless another is given; its tags are replaced for
each message. User or password that are not given are looked up in `~/.netrc`.

Example:

    action "copy" imap server "mail.example.org" user "me" pass "secret" folder "Copies" starttls
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
    host, port = scope.server(server, "imap")
    name, secret = scope.login(user, password, host, phrase.span, True)
    where = b"INBOX" if folder is None else scope.template(folder)
    return host, port, name, secret, where, tuple(flags)


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    return b'imap server "%s" port %s folder "%s"' % (args[0], args[1], shown(args[4]))


def perform(args: tuple[bytes, bytes, bytes, bytes, Template, tuple[str, ...]], run: Run, user: User) -> Asking:
    host, port, name, password, folder, flags = args
    place = run.expand(folder, breaks=True)
    yield (DELIVER, "imap", (host, port, name, password, place, flags), user, run.message.raw)
    run.verdict.stored += 1
