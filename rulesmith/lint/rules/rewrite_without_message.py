"""A `rewrite` whose command does not write a message.

What it does: reports `rewrite` with a last command that is known to write nothing, or something else than the message:
`grep`, `sed -n`, `rspamc` without `--mime`, `bogofilter` without `-p`, `deliver`, or output sent to a file.

Why is this bad: what the command writes is the message from then on. Where it writes nothing the message fails for
ever; where it writes a report, the report is delivered in place of the mail.

Example:

    match all action rewrite "rspamc" continue

Use instead: a filter: `rspamc --mime`, `bogofilter -p`, `spamc`; for a command that only looks, `exec` or `pipe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.programs import why_silent
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "rewrite-without-message"
SEVERITY = Severity.ERROR


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such command."""
    for _phrase, _, text, line in commands_of(compiled, "rewrite"):
        command = parse_shell(line)
        if command.odd or command.open or not command.last or len(command.pipelines) > 1:
            continue
        why = why_silent(command.last[-1])
        if why is not None:
            yield Finding(text.span, f"{why}, and a rewrite takes what the command writes for the message")
