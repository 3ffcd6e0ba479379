"""Findings for people: the whole story with the source line, or one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.printable import printable, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.diagnostics.model import Diagnostic, Label
    from rulesmith.source import Span

# A longer line is shown only around the place.
_LINE = 160
_BEFORE = 60


def render_short(finding: Diagnostic) -> str:
    """`path:line:column: error[name]: message`."""
    return f"{_where(finding.at.span)}: {_headline(finding)}"


def render_text(finding: Diagnostic) -> str:
    """The message, the place with its line and carets, the other places, notes and help; no line feed at the end."""
    return "\n".join(_lines(finding))


def _lines(finding: Diagnostic) -> Iterator[str]:
    labels = [finding.at, *finding.also]
    margin = " " * max(len(str(label.span.line)) for label in labels)
    yield _headline(finding)
    yield f"{margin}--> {_where(finding.at.span)}"
    yield from _excerpt(finding.at, margin, "^")
    include = finding.at.span.source.included_at
    while include is not None:
        yield f"{margin}::: {_where(include)}: included here"
        include = include.source.included_at
    for label in finding.also:
        text = f": {printable(label.text)}" if label.text else ""
        yield f"{margin}::: {_where(label.span)}{text}"
        yield from _excerpt(label, margin, "-")
    for note in finding.notes:
        yield f"{margin}  = note: {printable(note)}"
    if finding.help:
        yield f"{margin}  = help: {printable(finding.help)}"


def _headline(finding: Diagnostic) -> str:
    return f"{finding.severity.word}[{finding.name}]: {printable(finding.message)}"


def _where(span: Span) -> str:
    line, column = span.line_column()
    return f"{printable(span.source.name)}:{line}:{column}"


def _excerpt(label: Label, margin: str, mark: str) -> Iterator[str]:
    """The line of a place, and marks under as much of the place as lies on that line."""
    span = label.span
    number, column = span.line_column()
    line = span.source.line(number)
    begin = column - 1
    end = max(begin + 1, min(begin + span.end - span.start, len(line)))
    first = max(0, begin - _BEFORE) if len(line) > _LINE else 0
    last = first + _LINE if len(line) > _LINE else len(line)
    end = min(end, max(last, begin + 1))
    before = ("…" if first else "") + printable(line[first:begin])
    marked = printable(line[begin:end])
    after = printable(line[end:last]) + ("…" if last < len(line) else "")
    yield f"{number:>{len(margin)}} | {before}{marked}{after}".rstrip()
    text = f" {printable(label.text)}" if label.text and mark == "^" else ""
    yield f"{margin} | {' ' * width(before)}{mark * max(1, width(marked))}{text}"
