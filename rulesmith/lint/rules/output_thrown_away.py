"""A filter is run by `pipe`, which throws its output away.

What it does: reports `pipe` items whose last command is a filter: `spamc`, `formail`, `sed`, `rspamc --mime` … without
a file for its output.

Why is this bad: `pipe` counts as a delivery, whatever the command does. The changed message goes nowhere, and the
message is taken for stored.

Example:

    match all action pipe "spamc"

Use instead: `rewrite "spamc" continue`, then a rule that delivers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.programs import is_filter
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of
from rulesmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "output-thrown-away"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    for phrase, is_condition, _text, line in commands_of(compiled, "pipe"):
        command = parse_shell(line)
        if is_condition or command.odd or command.open or len(command.pipelines) != 1:
            continue
        last = command.last[-1]
        if is_filter(last):
            yield Finding(
                Span(phrase.span.source, phrase.span.start, phrase.span.start + len("pipe")),
                f"what {last.program} writes is thrown away by pipe, and the message counts as delivered",
                help="rewrite, with continue, and a rule that delivers",
            )
