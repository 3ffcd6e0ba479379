"""Findings as GitHub shows them beside a change: one workflow command a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity

if TYPE_CHECKING:
    from rulesmith.diagnostics.model import Diagnostic

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_github(finding: Diagnostic) -> str:
    """`::warning file=…,line=…,col=…,title=NAME::MESSAGE`."""
    span = finding.at.span
    line, column = span.line_column()
    end_line, end_column = span.end_line_column()
    where = f"file={_property(span.source.name)},line={line},endLine={end_line},col={column}"
    if end_line == line:  # columns over several lines are refused
        where += f",endColumn={end_column}"
    text = finding.message if finding.help is None else f"{finding.message} (help: {finding.help})"
    return f"::{_COMMANDS[finding.severity]} {where},title={_property(finding.name)}::{_data(text)}"


def _data(text: str) -> str:
    plain = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
