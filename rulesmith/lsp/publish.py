"""Findings as the diagnostics of the protocol, by file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol import types

from rulesmith.diagnostics.model import Severity
from rulesmith.lsp.positions import Lines, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.lsp.desk import Desk
    from rulesmith.source import Source, Span

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
# What an editor may show faded.
_DEAD = frozenset({
    "duplicate-rule", "impossible-rule", "shadowed-rule", "unreachable-rule", "unused-account", "unused-action",
    "unused-allow", "unused-cache", "unused-macro",
})  # fmt: skip


class Publisher:
    """Makes diagnostics; the lines of a text are counted once."""

    def __init__(self, desk: Desk, encoding: str) -> None:
        self.desk = desk
        self.encoding = encoding
        self._lines: dict[Source, Lines] = {}

    def by_file(self, found: Iterable[Diagnostic]) -> dict[str, list[types.Diagnostic]]:
        """The diagnostics of each file that has any; of a file that is included twice each is told once."""
        files: dict[str, list[types.Diagnostic]] = {}
        for finding in found:
            told = files.setdefault(os.path.abspath(finding.at.span.source.name), [])
            diagnostic = self._diagnostic(finding)
            if diagnostic not in told:
                told.append(diagnostic)
        return files

    def _diagnostic(self, finding: Diagnostic) -> types.Diagnostic:
        message = [finding.message, *finding.notes, *([f"help: {finding.help}"] if finding.help else [])]
        return types.Diagnostic(
            self._range(finding.at.span),
            shown("\n".join(message)),
            severity=_SEVERITIES[finding.severity],
            code=finding.name,
            source="rulesmith",
            tags=[types.DiagnosticTag.Unnecessary] if finding.name in _DEAD else None,
            related_information=[
                types.DiagnosticRelatedInformation(self.location(label.span), shown(label.text) or "see here")
                for label in finding.also
            ]
            or None,
        )

    def location(self, span: Span) -> types.Location:
        """A place with its file."""
        return types.Location(self.desk.uri(os.path.abspath(span.source.name)), self._range(span))

    def _range(self, span: Span) -> types.Range:
        if span.source not in self._lines:
            self._lines[span.source] = Lines(span.source.text, self.encoding)
        return self._lines[span.source].range(span.start, span.end)
