"""A password that travels unencrypted.

What it does: reports accounts and actions with `imap` and `pop3`, in place of `imaps` and `pop3s`, on a server that is
not this machine, without `starttls`.

Why is this bad: everybody on the way can read the password and the mail.

Example:

    account "a" pop3 server "pop.example.org" user "me" pass "x"

Use instead: `pop3s`, `imaps`, or `starttls` at the end of the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.source import Span
from rulesmith.syntax.tree import Account, Action, Rule, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "password-in-the-clear"
SEVERITY = Severity.WARNING

_PLAIN = ("imap", "pop3")
_HERE = ("localhost", "127.0.0.1", "::1", "ip6-localhost")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such word."""
    for statement in flatten(compiled.config.statements):
        sources = [statement.fetch] if isinstance(statement, Account) else []
        if isinstance(statement, Rule | Action):
            sources = [item for item in statement.items or () if item.word in _PLAIN]
        for phrase in sources:
            if phrase.word not in _PLAIN or not isinstance(phrase.args[0], Server):
                continue
            host = phrase.args[0].host.value
            if host is None or host in _HERE or host.startswith("/") or "starttls" in phrase.span.text.split():
                continue
            word = Span(phrase.span.source, phrase.span.start, phrase.span.start + len(phrase.word))
            yield Finding(word, f"the password goes to {host} unencrypted", help=f"{phrase.word}s")
