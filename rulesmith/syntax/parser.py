"""A configuration's text → its tree, and everything that is wrong with its syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.diagnostics.order import in_order
from rulesmith.limits import SYNTAX_FINDINGS
from rulesmith.source import Source
from rulesmith.syntax.checks import check
from rulesmith.syntax.include import decode
from rulesmith.syntax.lexer import read
from rulesmith.syntax.recovery import Recovery
from rulesmith.syntax.tree import Config

if TYPE_CHECKING:
    from rulesmith.syntax.world import SyntaxWorld


def parse(name: str, text: bytes | str, world: SyntaxWorld) -> tuple[Config, list[Diagnostic]]:
    """The tree of what could be read, and the findings in the order of reading; raises nothing.

    `name` is the main file's path as it was given. The `fdm` of the first finding that has one is the message with
    which fdm refuses the file.
    """
    source = Source(name, text if isinstance(text, str) else decode(text))
    reading = read(source, world)
    recovery = Recovery(reading.words)
    statements = recovery.parse()
    config = Config(tuple(statements), tuple(reading.sources), tuple(recovery.broken))
    findings = in_order([*reading.findings, *recovery.findings, *check(statements)])
    if len(findings) >= SYNTAX_FINDINGS:
        message = f"{SYNTAX_FINDINGS} faults: there may be more, this is not looked at any further"
        last = findings[SYNTAX_FINDINGS - 1].at
        findings[SYNTAX_FINDINGS:] = [Diagnostic("too-many-faults", Severity.NOTE, message, Label(last.span))]
    return config, findings
