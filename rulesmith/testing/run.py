"""Carries out a test: a dry run whose answers the test gives."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from rulesmith.explain.driver import World
from rulesmith.explain.plan import target_of
from rulesmith.explain.simulate import Circumstances, simulate
from rulesmith.explain.unknown import mark_unknown
from rulesmith.mail import header

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.explain.driver import User
    from rulesmith.explain.trace import Report
    from rulesmith.program import Account, Program
    from rulesmith.testing.case import Case

_NOBODY = 65534
HOSTNAME = b"localhost"


@dataclass
class Difference:
    """Something that is not as expected: lines that are missing, and lines that are there instead."""

    about: str
    missing: list[str]
    found: list[str]


@dataclass
class Result:
    """How a test went; it passed if there are no differences."""

    case: Case
    report: Report
    differences: list[Difference]
    seconds: float


def run_case(
    case: Case, program: Program, account: Account, me: User, who: Callable[[bytes], User | None], version: bytes
) -> Result:
    """One test. Nothing is run, and neither caches nor the host name of this machine are looked at."""
    started = time.monotonic()
    report = simulate(
        mark_unknown(program, case.spam is not None),
        account,
        case.raw,
        Circumstances(me, int(time.time()) if case.now is None else case.now, HOSTNAME, HOSTNAME, version),
        World(
            who=lambda name: who(name) or (name, _NOBODY, _NOBODY, b"/home/" + name),
            look_up=lambda path, key: (path, key) in case.caches,
            assumptions=case.commands,
        ),
        case.spam,
    )
    return Result(case, report, list(_differences(case, report)), time.monotonic() - started)


def _differences(case: Case, report: Report) -> list[Difference]:
    found: list[Difference] = []
    outcome = report.outcome + (f" ({report.reason})" if report.reason else "")
    if report.outcome == "unknown" or (case.outcome is not None and case.outcome != report.outcome):
        found.append(Difference("outcome", [case.outcome] if case.outcome else [], [outcome]))
    if case.goes_to is not None:
        _compare(found, "goes-to", case.goes_to, [target_of(plan) for plan in report.plan if plan.stores])
    if case.actions is not None:
        _compare(found, "actions", case.actions, actions_of(report))
    tags = {_text(name): _text(value) for name, value in report.tags.items()}
    for name, value in case.tags.items():
        if tags.get(name) != value:
            found.append(Difference(f"tag {name}", [value], [tags[name]] if name in tags else []))
    lines = _header_lines(report.raw)
    missing = [each for each in case.has if not any(_is_line(each, line) for line in lines)]
    there = [line for line in lines if any(_is_line(each, line) for each in case.has_not)]
    if missing:
        found.append(Difference("has", missing, []))
    if there:
        found.append(Difference("has-not", [], there))
    return found


def actions_of(report: Report) -> list[str]:
    """The names of the actions that are done, in order, once for each rule; what a rule does itself has no name."""
    done = dict.fromkeys((plan.rule, plan.action) for plan in report.plan)
    return [name for rule, name in done if name != f"<rule {rule}>"]


def _compare(found: list[Difference], about: str, expected: list[str], got: list[str]) -> None:
    """Order does not matter; how often something is there does."""
    left = list(got)
    missing = []
    for each in expected:
        match = next((one for one in left if one == each or fnmatchcase(one, each)), None)
        if match is None:
            missing.append(each)
        else:
            left.remove(match)
    if missing or left:
        found.append(Difference(about, missing, list(Counter(left).elements())))


def _header_lines(raw: bytes) -> list[str]:
    return _text(header.unfold(raw[: header.boundary(raw)])).splitlines()


def _is_line(wanted: str, line: str) -> bool:
    """A whole line, or where only a name is given (`X-Spam:`) any field of that name; names in any case."""
    name, _, value = wanted.partition(":")
    its_name, _, its_value = line.partition(":")
    return name.lower() == its_name.lower() and (not value.strip() or value.strip() == its_value.strip())


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
