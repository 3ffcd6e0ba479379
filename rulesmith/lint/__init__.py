"""What can be said about a configuration that fdm would accept: one file a check, each with its manual page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import one_line
from rulesmith.diagnostics.model import Diagnostic, Label
from rulesmith.lint.allow import suppress
from rulesmith.lint.table import NAMES, ONLINE, module, needs_program

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.diagnostics.model import Severity
    from rulesmith.lint.finding import Finding
    from rulesmith.lint.system import System


def findings(
    compiled: Compiled, chosen: Collection[str] | None = None, system: System | None = None
) -> list[Diagnostic]:
    """Everything there is to say about a configuration, sorted by place: the compiler's diagnostics and these.

    `chosen` are the names of the checks to make, all where None. With a `system` that is looked at as well.
    """
    asked = [name for name in NAMES if chosen is None or name in chosen]
    found = [*compiled.diagnostics, *_lint(compiled, asked)]
    if system is not None:
        online = [name for name in ONLINE if chosen is None or name in chosen]
        found += _stamped((name, module(name).check(compiled, system)) for name in online)
        asked += online
    unasked = {*NAMES, *ONLINE} - set(asked)
    kept = suppress(found, compiled.config.sources, unasked)
    order = {id(source): number for number, source in enumerate(compiled.config.sources)}
    return sorted(kept, key=lambda each: (order.get(id(each.at.span.source), -1), each.at.span.start, each.at.span.end))


def _lint(compiled: Compiled, names: Iterable[str]) -> Iterator[Diagnostic]:
    runnable = [name for name in names if compiled.program is not None or not needs_program(name)]
    return _stamped((name, module(name).check(compiled)) for name in runnable)


def _stamped(checks: Iterable[tuple[str, Iterable[Finding]]]) -> Iterator[Diagnostic]:
    for name, found in checks:
        for finding in found:
            severity = module(name).SEVERITY if finding.severity is None else finding.severity
            yield _diagnostic(name, severity, finding)


def _diagnostic(name: str, severity: Severity, finding: Finding) -> Diagnostic:
    also = finding.also
    if finding.at.source.included_at is not None:
        also += (Label(finding.at.source.included_at, "included here"),)
    hint = None if finding.help is None else one_line(finding.help)
    message = one_line(finding.message)
    return Diagnostic(name, severity, message, Label(finding.at), also, finding.notes, hint, fix=finding.fix)
