"""Findings for programs: one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulesmith.diagnostics.model import Diagnostic


def as_json(finding: Diagnostic) -> str:
    """One object, no line feed. Lines and columns count from 1, columns in characters; the end is exclusive.

    An octet that is no UTF-8 is one character; in the texts it is a lone surrogate (`\\udc80` to `\\udcff`).
    """
    span = finding.at.span
    line, column = span.line_column()
    end_line, end_column = span.end_line_column()
    return json.dumps(
        {
            "path": span.source.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "severity": finding.severity.word,
            "name": finding.name,
            "message": finding.message,
            "help": finding.help,
        }
    )
