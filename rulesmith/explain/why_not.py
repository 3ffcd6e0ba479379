"""Why a rule does not take a message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rulesmith.explain.facts import string_of
from rulesmith.explain.miss import Miss, in_text, nearest
from rulesmith.explain.simulate import simulate
from rulesmith.mail import glob
from rulesmith.template import raw_text

if TYPE_CHECKING:
    from rulesmith.explain.driver import World
    from rulesmith.explain.simulate import Circumstances
    from rulesmith.explain.trace import RuleTrace, Tried
    from rulesmith.mail.message import Message
    from rulesmith.program import Account, Program, Rule, Term
    from rulesmith.scan.reply import Reply

# No configuration has a rule, or a line, with more digits.
_DIGITS = 9
_PLACE = re.compile(r"(?P<path>.*):(?P<line>[0-9]{1,9})")


@dataclass
class Failed:
    """A condition that kept a rule from matching, and how near it was, where it is a regexp."""

    tried: Tried
    miss: Miss | None = None


@dataclass
class Answer:
    """`alone`: the rule was not tried; `trace` says why, and `failed` is what it would have done by itself."""

    trace: RuleTrace
    alone: RuleTrace | None = None
    failed: list[Failed] = field(default_factory=list)


def find_rules(program: Program, wanted: str) -> list[Rule]:
    """The rules with that number, at that place (`:LINE`, `FILE:LINE`), or with that action."""
    rules = list(_flat(program[4]))
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= _DIGITS:
        return [rule for rule in rules if rule[0] == int(wanted)]
    place = _PLACE.fullmatch(wanted)
    if place is not None:
        line, path = int(place["line"]), place["path"]
        near = [rule for rule in rules if rule[1][1] <= line and (not path or _is_file(rule[1][0], path))]
        # A rule may have many lines; the place of a rule is its first.
        last = max((rule[1][1] for rule in near), default=None)
        return [rule for rule in near if rule[1][1] == last]
    names = _reaching(program, wanted.encode("utf-8", "surrogateescape"))
    return [rule for rule in rules if any(_calls(rule, name) for name in names)]


def _flat(rules: tuple[Rule, ...]) -> Any:
    for rule in rules:
        yield rule
        yield from _flat(rule[6] or ())


def _is_file(path: str, wanted: str) -> bool:
    return path == wanted or path.endswith("/" + wanted.lstrip("./"))


def _reaching(program: Program, name: bytes) -> list[bytes]:
    """The action and those that call it."""
    found = [name]
    for each in found:
        for action, _, items, _ in program[3]:
            called = [raw_text(template) for item in items if item[0] == "action" for template in item[1][0]]
            if action not in found and any(glob.matches(pattern, each) for pattern in called):
                found.append(action)
    return found


def _calls(rule: Rule, name: bytes) -> bool:
    return any(glob.matches(raw_text(template), name) for template in rule[4] or ())


def why_not(
    program: Program,
    rule: Rule,
    account: Account,
    raw: bytes,
    circumstances: Circumstances,
    world: World,
    spam: Reply | None,
) -> Answer:
    """The answer for one rule and one message."""
    failed: list[Failed] = []

    def watch(number: int, term: Term, tried: Tried, message: Message) -> None:
        if number == rule[0] and tried.result is not True:
            failed.append(Failed(tried, _miss(term, tried, message, program[0])))

    report = simulate(program, account, raw, circumstances, world, spam, watch=watch)
    trace = next(each for each in report.all_rules() if each.number == rule[0])
    if trace.result != "not tried":
        return Answer(trace, None, [] if trace.result == "match" else failed)
    lone = (*rule[:4], None, (), None, True)
    only: Program = (*program[:4], (lone,))
    alone = simulate(only, account, raw, circumstances, world, spam, watch=watch).rules[0]
    return Answer(trace, alone, [] if alone.result == "match" else failed)


def _miss(term: Term, tried: Tried, message: Message, settings: dict[str, Any]) -> Miss | None:
    _, negated, word, args = term
    if negated or tried.result is None:
        return None
    if word == "regexp":
        return nearest(message, args[1], args[0])
    return in_text(string_of(args, message, settings), args[1]) if word == "string" else None
