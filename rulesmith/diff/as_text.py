"""The report for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rulesmith.diagnostics.printable import printable
from rulesmith.diff.wording import MARKS, messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.diff.group import Example, Group
    from rulesmith.diff.report import Report
    from rulesmith.diff.tally import Tally

_STEP = "  "
# Rules that took most, of each side.
_MOST = 10


def as_text(report: Report, rules: bool) -> str:
    """The whole report, the last line feed left out; `rules` asks for the numbers of the rules as well."""
    lines = [*_groups(report)]
    if rules:
        for title, path, tally in (("OLD", report.old_path, report.old), ("NEW", report.new_path, report.new)):
            lines += ["", *rule_lines(f"{title} {printable(path)}", tally)]
    return "\n".join(lines)


def _groups(report: Report) -> Iterator[str]:
    may_lose = f", {report.may_lose} of them may be lost" if report.may_lose else ""
    yield f"{messages(report.messages)}: {report.changed or 'nothing'} would change{may_lose}"
    for group in report.groups:
        yield ""
        yield from _group(group, report)


def _group(group: Group, report: Report) -> Iterator[str]:
    mark = MARKS.get(group.change.kind)
    start = "" if mark is None else click.style(mark, fg="red", bold=True) + " "
    yield f"{start}{group.count} of {report.messages} {printable(report.wording.what(group.change))}"
    for example in group.examples:
        yield from _example(example)


def _example(example: Example) -> Iterator[str]:
    yield f"{_STEP}{printable(example.message_id or '(no Message-ID)')}  {printable(example.subject)}".rstrip()
    yield click.style(f"{_STEP * 2}{printable(example.name)}", dim=True)


def rule_lines(title: str, tally: Tally) -> Iterator[str]:
    """The rules of one side that took most, then those that took nothing."""
    yield f"{title}:"
    took = sorted((rule for rule in tally.rules() if rule.took), key=lambda rule: -rule.took)
    yield f"{_STEP}{'took':>7}  {'tried':>7}  {'stored':>7}  place"
    for rule in took[:_MOST]:
        yield f"{_STEP}{rule.took:>7}  {rule.tried:>7}  {rule.stored:>7}  {printable(rule.place)}"
    if len(took) > _MOST:
        yield f"{_STEP}and {len(took) - _MOST} more rules"
    idle = [rule.place for rule in tally.rules() if not rule.took]
    if idle:
        yield f"{_STEP}took nothing: {printable(', '.join(idle))}"
