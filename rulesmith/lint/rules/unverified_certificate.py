"""Nobody checks with whom fdm speaks.

What it does: reports the first account or action over TLS when `set verify-certificates` is missing; notes `no-verify`,
which somebody has chosen.

Why is this bad: whoever is on the way can pose as the server, and gets the password and the mail.

Example:

    account "a" imaps server "imap.example.org"

Use instead: `set verify-certificates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.source import Span
from rulesmith.syntax.tree import Account, Action, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unverified-certificate"
SEVERITY = Severity.WARNING

_TLS = ("imaps", "pop3s", "nntps")


def check(compiled: Compiled) -> Iterator[Finding]:
    """At most one finding."""
    verified = compiled.lowered.settings["verify-certificates"]
    for statement in flatten(compiled.config.statements):
        sources = [statement.fetch] if isinstance(statement, Account) else []
        if isinstance(statement, Rule | Action):
            sources = [item for item in statement.items or () if item.word in _TLS]
        for phrase in sources:
            if phrase.word not in _TLS:
                continue
            word = Span(phrase.span.source, phrase.span.start, phrase.span.start + len(phrase.word))
            if not verified:
                yield Finding(word, "the certificate of the server is not checked", help="set verify-certificates")
                return
            if "no-verify" in phrase.span.text.split():
                message = "no-verify: the certificate of this server is not checked"
                yield Finding(word, message, help="without no-verify", severity=Severity.NOTE)
                return
