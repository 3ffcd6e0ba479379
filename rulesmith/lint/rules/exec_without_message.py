"""A delivery program is run by `exec`, which gives it no message.

What it does: reports `exec` items with a program that is of use only with a message on its standard input (`deliver`,
`procmail`, `sendmail`, `spamc`, `formail` …), unless the input is redirected or comes through a pipe.

Why is this bad: `exec` only runs a command. The program reads nothing, may succeed, and the message is not stored
anywhere.

Example:

    action "inbox" exec "/usr/libexec/dovecot/deliver -d me"

Use instead: `pipe`, which writes the message to the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Edit, Fix, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.programs import reads_mail
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "exec-without-message"
SEVERITY = Severity.ERROR


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    for phrase, is_condition, _text, line in commands_of(compiled, "exec"):
        command = parse_shell(line)
        if is_condition or command.odd or command.open:
            continue
        for stages, _ in command.pipelines:
            first = stages[0]
            if reads_mail(first) and not first.reads() and not _has_file(first.arguments):
                word = Span(phrase.span.source, phrase.span.start, phrase.span.start + len("exec"))
                fix = Fix("pipe", (Edit(word, "pipe"),))
                yield Finding(word, f"{first.program} gets no message from exec", help="pipe", fix=fix)
                break


def _has_file(words: list[str]) -> bool:
    """Whether an argument may be the message: a file of fdm, or any file that is named."""
    return any(
        "%[" in word or word.startswith(("/", "~", "<")) or "@" in word for word in words[1:] if "=" not in word
    ) and words[0].rpartition("/")[2] not in ("deliver", "dovecot-lda")
