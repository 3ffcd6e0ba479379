"""A report for people, with the text that matched marked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from rulesmith.diagnostics.printable import printable, width
from rulesmith.explain.plan import by_user, mailbox_of
from rulesmith.mail import header, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.explain.trace import Change, Match, Planned, Report, RuleTrace, Tried

_WORDS = {True: "yes", False: "no", None: "?"}
_COLOURS = {"match": "green", "no match": "yellow", "unknown": "magenta", "failed": "red", "not tried": None}
_OUTCOMES = {"delivered": "green", "dropped": "yellow", "kept": "red", "deferred": "red", "unknown": "magenta"}
# Octets of a line on either side of a match.
_AROUND = 60
_LONGEST = 160
_STEP = "  "


def shown(octets: bytes) -> str:
    """Octets of a mail as text that any terminal and any JSON reader takes."""
    return octets.decode("utf-8", "backslashreplace")


def as_text(name: str, report: Report) -> str:
    """The whole story, the last line feed left out. Colours are ANSI sequences (click.echo leaves them out)."""
    return "\n".join(_lines(name, report))


def headline(name: str, report: Report) -> str:
    """The message and what becomes of it."""
    reason = f": {printable(report.reason)}" if report.reason else ""
    return f"{printable(name)}: {outcome_styled(report.outcome)}{reason}"


def outcome_styled(outcome: str, columns: int = 0) -> str:
    """An outcome in its colour, filled up to so many columns."""
    return click.style(outcome.ljust(columns), fg=_OUTCOMES[outcome], bold=True)


def _lines(name: str, report: Report) -> Iterator[str]:
    yield headline(name, report)
    for rule in report.rules:
        yield from _rule(rule, _STEP)
    plan = by_user(report)
    if plan:
        yield f"{_STEP}plan:"
    for user, places in plan.items():
        yield f"{_STEP * 2}{printable(user)}: {printable(', '.join(places))}"


def _rule(rule: RuleTrace, indent: str) -> Iterator[str]:
    place = f"{indent}rule {rule.number} ({printable(rule.path)}:{rule.line}): "
    if rule.result == "not tried":
        yield click.style(f"{place}not tried: {printable(rule.why)}", dim=True)
        yield from (line for each in rule.rules for line in _rule(each, indent + _STEP))
        return
    entered = rule.nested and rule.result == "match"
    result = click.style("entered" if entered else rule.result, fg=_COLOURS[rule.result])
    decided = rule.decided
    yield place + result + (f", decided by {printable(decided.text)}" if decided else "")
    if rule.why:
        yield f"{indent}{_STEP}{click.style('this stopped everything', fg='red')}: {printable(rule.why)}"
    for tried in rule.conditions:
        yield from _condition(tried, indent + _STEP, len(rule.conditions) > 1)
    for job in rule.jobs:
        yield f"{indent}{_STEP}{printable(planned(job))}"
        yield from _changes(job.changes, indent + _STEP * 2)
    yield from (line for each in rule.rules for line in _rule(each, indent + _STEP))


def _condition(tried: Tried, indent: str, listed: bool) -> Iterator[str]:
    join = f"{tried.join} " if tried.join else ""
    if tried.skipped is not None:
        yield click.style(f"{indent}-   {join}{printable(tried.text)}: not tried, {tried.skipped}", dim=True)
        return
    if listed:
        yield f"{indent}{_WORDS[tried.result]:<3} {join}{printable(tried.text)}"
        indent += _STEP * 2
    if tried.match is not None:
        yield from _match(tried.match, indent)
    elif tried.matched is not None:
        yield f"{indent}it matched {json.dumps(shown(tried.matched), ensure_ascii=False)}"
    for said in tried.facts:
        yield f"{indent}{printable(said)}"
    for number, capture in enumerate(tried.captures[1:], 1):
        yield f"{indent}%{number} is {words.printable(shown(capture))!r}"
    yield from _changes(tried.changes, indent)


def _match(match: Match, indent: str) -> Iterator[str]:
    """The line with the match, marked by colour and by carets, and where it is."""
    before = ("…" if len(match.before) > _AROUND else "") + _plain(match.before[-_AROUND:])
    inside = match.octets[:_LONGEST].partition(b"\n")[0] if match.octets[:1] != b"\n" else b""
    marked = _plain(inside) + ("…" if len(inside) < len(match.octets) else "")
    rest = b"" if len(inside) < len(match.octets) else match.after[:_AROUND]
    yield f"{indent}{before}{click.style(marked, bold=True, reverse=True)}{_plain(rest)}".rstrip()
    yield f"{indent}{' ' * width(before)}{'^' * max(1, width(marked))} {where(match)}"
    if match.decoded is not None:
        yield f"{indent}decoded: {printable(match.decoded)}"


def where(match: Match) -> str:
    """The place of a match in words."""
    if match.name is None:
        return f"offset {match.offset} of the message"
    return f"{match.name} field, offset {match.name_offset} (offset {match.offset} of the message)"


def _plain(octets: bytes) -> str:
    return words.printable(shown(octets))


def planned(plan: Planned) -> str:
    """One action, who does it and where the message goes."""
    what = plan.command if plan.command is not None else plan.path
    text = f"{plan.action}: {plan.kind}" + (f" {what}" if what else "") + (f" {plan.detail}" if plan.detail else "")
    text += f" as {plan.user}"
    mailbox = mailbox_of(plan)
    return text + (f" -> {mailbox}" if mailbox else "")


def _changes(changes: list[Change], indent: str) -> Iterator[str]:
    for change in changes:
        yield f"{indent}{printable(change.text)}"
        for line in change.diff:
            colour = {"+": "green", "-": "red"}.get(line[:1])
            yield indent + _STEP + click.style(printable(line), fg=colour)


def subject(raw: bytes, length: int) -> str:
    """The Subject of a message as a person reads it."""
    field = header.first(raw[: header.boundary(raw)], b"Subject")
    return words.cut(words.readable(field or b""), length)
