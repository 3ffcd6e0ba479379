"""How results are shown: text with differences, TAP 14, JUnit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import click

from rulesmith.diagnostics.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rulesmith.testing.coverage import Coverage
    from rulesmith.testing.run import Result

    Placed = tuple[str, Result]  # where the test stands, and how it went


def as_text(results: Sequence[Placed]) -> Iterator[str]:
    """A line for each test, and under one that failed what is different."""
    for place, result in results:
        name = printable(result.case.name)
        if not result.differences:
            yield f"{click.style('ok', fg='green')}    {name}"
            continue
        yield f"{click.style('FAIL', fg='red', bold=True)}  {name} ({printable(place)})"
        yield from (f"      {line}" for line in _story(result, True))
    failed = sum(bool(result.differences) for _, result in results)
    yield f"{len(results)} test{'' if len(results) == 1 else 's'}: {len(results) - failed} ok, {failed} failed"


def _story(result: Result, colours: bool) -> Iterator[str]:
    for difference in result.differences:
        yield f"{difference.about}:"
        for sign, lines, colour in (("-", difference.missing, "red"), ("+", difference.found, "green")):
            for each in lines:
                line = f"{sign} {printable(each)}"
                yield "  " + (click.style(line, fg=colour) if colours else line)
    rule = result.report.decided
    if rule is not None:
        by = f", decided by {printable(rule.decided.text)}" if rule.decided else ""
        yield f"the last rule that took it: rule {rule.number} ({printable(rule.path)}:{rule.line}){by}"


def as_tap(results: Sequence[Placed]) -> Iterator[str]:
    """TAP 14 with the differences as YAML blocks."""
    yield "TAP version 14"
    yield f"1..{len(results)}"
    for number, (place, result) in enumerate(results, 1):
        name = printable(result.case.name).replace("\\", "\\\\").replace("#", "\\#")
        yield f"{'not ok' if result.differences else 'ok'} {number} - {name}"
        if result.differences:
            yield from ("  ---", f"  at: {printable(place)!r}", "  differences: |")
            yield from (f"    {line}" for line in _story(result, False))
            yield "  ..."


def as_junit(results: Sequence[Placed]) -> Iterator[str]:
    """One suite with all tests."""
    failed = sum(bool(result.differences) for _, result in results)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="rulesmith test" tests="{len(results)}" failures="{failed}" errors="0">'
    yield f'  <testsuite name="rulesmith test" tests="{len(results)}" failures="{failed}" errors="0">'
    for place, result in results:
        file = quoteattr(printable(place.rpartition(":")[0] or place))
        name = quoteattr(printable(result.case.name))
        start = f'    <testcase classname={file} name={name} time="{result.seconds:.3f}"'
        if not result.differences:
            yield f"{start}/>"
            continue
        yield f"{start}>"
        about = quoteattr(", ".join(printable(each.about) for each in result.differences))
        yield f"      <failure message={about}>{escape(chr(10).join(_story(result, False)))}</failure>"
        yield "    </testcase>"
    yield "  </testsuite>"
    yield "</testsuites>"


def coverage_text(config: str, coverage: Coverage) -> Iterator[str]:
    """The share, then each gap."""
    (matched, rules), (seen, outcomes) = coverage.matched, coverage.outcomes
    of = f"{matched} of {rules} rules matched, {seen} of {outcomes} outcomes of conditions seen"
    yield f"coverage of {printable(config)}: {coverage.percent:.0f} % ({of})"
    yield from (f"  {printable(gap)}" for gap in coverage.gaps())
