"""Findings in SARIF 2.1.0, which code scanners of many makers read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rulesmith.diagnostics.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rulesmith.diagnostics.model import Diagnostic, Fix, Label
    from rulesmith.source import Span

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_sarif(found: Iterable[Diagnostic], pages: Mapping[str, str], version: str) -> str:
    """One document. `pages` are the manual pages of the checks, by name; the first line of each is its title."""
    told = list(found)
    names = sorted({each.name for each in told})
    numbers = {name: number for number, name in enumerate(names)}
    driver: dict[str, Any] = {
        "name": "rulesmith",
        "version": version,
        "rules": [_rule(name, pages.get(name)) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, numbers[each.name]) for each in told],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _rule(name: str, page: str | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name}
    if page is not None:
        title, _, rest = page.partition("\n")
        rule["shortDescription"] = {"text": title}
        rule["fullDescription"] = {"text": rest.strip() or title}
        rule["help"] = {"text": page}
    return rule


def _result(finding: Diagnostic, number: int) -> dict[str, Any]:
    text = "\n".join([finding.message, *finding.notes, *([f"help: {finding.help}"] if finding.help else [])])
    result: dict[str, Any] = {
        "ruleId": finding.name,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(text)},
        "locations": [_location(finding.at)],
    }
    if finding.also:
        result["relatedLocations"] = [
            {"id": number, **_location(label)} for number, label in enumerate(finding.also, start=1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _location(label: Label) -> dict[str, Any]:
    where = {"artifactLocation": _artifact(label.span), "region": _region(label.span)}
    location: dict[str, Any] = {"physicalLocation": where}
    if label.text:
        location["message"] = {"text": _plain(label.text)}
    return location


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(span.source.name.encode("utf-8", "surrogateescape"))}


def _region(span: Span) -> dict[str, int]:
    line, column = span.line_column()
    end_line, end_column = span.end_line_column()
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, dict[str, Any]] = {}
    for edit in fix.edits:
        change = changes.setdefault(
            edit.span.source.name, {"artifactLocation": _artifact(edit.span), "replacements": []}
        )
        change["replacements"].append(
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": _plain(edit.text)}}
        )
    return {"description": {"text": _plain(fix.title)}, "artifactChanges": list(changes.values())}


def _plain(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
