"""Findings for programs: one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.source import Span


def as_json(finding: Diagnostic) -> str:
    """One object, no line feed. Lines and columns count from 1, columns in characters; the end is exclusive.

    An octet that is no UTF-8 is one character; in the texts it is a lone surrogate (`\\udc80` to `\\udcff`).
    """
    return json.dumps(
        {
            **_place(finding.at.span),
            "severity": finding.severity.word,
            "name": finding.name,
            "message": finding.message,
            "help": finding.help,
            "notes": list(finding.notes),
            "also": [{**_place(label.span), "text": label.text} for label in finding.also],
            "fix": None
            if finding.fix is None
            else {
                "title": finding.fix.title,
                "edits": [{**_place(edit.span), "text": edit.text} for edit in finding.fix.edits],
            },
        }
    )


def _place(span: Span) -> dict[str, str | int]:
    line, column = span.line_column()
    end_line, end_column = span.end_line_column()
    return {
        "path": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
