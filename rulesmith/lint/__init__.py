"""What can be said about a configuration that fdm would accept: one file a rule, each with its manual page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import one_line
from rulesmith.diagnostics.model import Diagnostic, Label
from rulesmith.lint.allow import suppress
from rulesmith.lint.rules import (
    cache_before_delivery,
    drop_oversized,
    dropped_come_back,
    ignored_errors,
    keep_on_stdin,
    no_final_rule,
    no_lock,
    nothing_stored,
    regexp_dialect_difference,
    root_without_user,
    spam_without_scan,
    tag_in_command,
    tag_in_regexp,
    two_stdin_accounts,
    undefined_macro,
    unknown_tag,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.diagnostics.model import Severity
    from rulesmith.lint.finding import Finding

# Every rule. Those that follow messages through the rules look only at what fdm would run.
ON_TEXT = (
    regexp_dialect_difference,
    tag_in_command,
    tag_in_regexp,
    undefined_macro,
    unknown_tag,
)
ON_PROGRAM = (
    cache_before_delivery,
    drop_oversized,
    dropped_come_back,
    ignored_errors,
    keep_on_stdin,
    no_final_rule,
    no_lock,
    nothing_stored,
    root_without_user,
    spam_without_scan,
    two_stdin_accounts,
)
RULES = (*ON_TEXT, *ON_PROGRAM)


def findings(compiled: Compiled) -> list[Diagnostic]:
    """Everything there is to say about a configuration, sorted by place: the compiler's diagnostics and these."""
    found = [*compiled.diagnostics, *_lint(compiled)]
    kept = suppress(found, compiled.config.sources)
    order = {id(source): number for number, source in enumerate(compiled.config.sources)}
    return sorted(kept, key=lambda each: (order.get(id(each.at.span.source), -1), each.at.span.start, each.at.span.end))


def _lint(compiled: Compiled) -> Iterator[Diagnostic]:
    for rule in RULES if compiled.program is not None else ON_TEXT:
        for finding in rule.check(compiled):
            severity = rule.SEVERITY if finding.severity is None else finding.severity
            yield _diagnostic(rule.NAME, severity, finding)


def _diagnostic(name: str, severity: Severity, finding: Finding) -> Diagnostic:
    also = finding.also
    if finding.at.source.included_at is not None:
        also += (Label(finding.at.source.included_at, "included here"),)
    hint = None if finding.help is None else one_line(finding.help)
    return Diagnostic(name, severity, one_line(finding.message), Label(finding.at), also, finding.notes, hint)
