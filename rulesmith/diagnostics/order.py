"""The order in which findings are told: that of reading, included files where they are included."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.source import Span


def reading_place(span: Span) -> tuple[int, ...]:
    """A key by which places sort as they are read: the include statements that lead there, then the offset."""
    place = [span.start]
    include = span.source.included_at
    while include is not None:
        place.append(include.start)
        include = include.source.included_at
    return tuple(reversed(place))


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place; what a file included twice has wrong is told once."""
    seen: set[tuple[str, int, int, str, str]] = set()
    told = []
    for finding in sorted(findings, key=lambda finding: reading_place(finding.at.span)):
        span = finding.at.span
        key = (span.source.name, span.start, span.end, finding.name, finding.message)
        if key not in seen:
            seen.add(key)
            told.append(finding)
    return told
