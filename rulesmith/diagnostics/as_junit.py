"""Findings as JUnit XML: a suite for each file, a case for each finding; notes do not fail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.printable import printable
from rulesmith.diagnostics.render import render_short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rulesmith.diagnostics.model import Diagnostic


def as_junit(files: Mapping[str, Iterable[Diagnostic]]) -> str:
    """One document, its line feed left out. A file with nothing to say is one case that passes."""
    return "\n".join(_lines(files))


def _lines(files: Mapping[str, Iterable[Diagnostic]]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<testsuites name="rulesmith check">'
    for path, each in files.items():
        found = list(each)
        failed = sum(finding.severity > Severity.NOTE for finding in found)
        name = quoteattr(printable(path))
        yield f'  <testsuite name={name} tests="{max(1, len(found))}" failures="{failed}" errors="0">'
        if not found:
            yield f'    <testcase classname={name} name="no findings"/>'
        for finding in found:
            yield from _case(name, finding)
        yield "  </testsuite>"
    yield "</testsuites>"


def _case(path: str, finding: Diagnostic) -> Iterator[str]:
    line = finding.at.span.line
    yield f"    <testcase classname={path} name={quoteattr(f'{finding.name} in line {line}')}>"
    text = escape(render_short(finding))
    if finding.severity > Severity.NOTE:
        message = quoteattr(printable(finding.message))
        yield f'      <failure type="{finding.severity.word}" message={message}>{text}</failure>'
    else:
        yield f"      <system-out>{text}</system-out>"
    yield "    </testcase>"
