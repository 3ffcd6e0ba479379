"""`spam score`, `spam action`, `spam symbol`: what they ask the verdict, and what they are without one."""

from __future__ import annotations

from typing import Any

import pytest

from rulesmith import lint
from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Imagined
from rulesmith.explain.driver import World
from rulesmith.explain.simulate import Circumstances, simulate
from rulesmith.explain.trace import Report
from rulesmith.explain.unknown import mark_unknown
from rulesmith.scan.reply import Reply

STDIN = 'account "stdin" stdin\n'
ME = (b"user", 1000, 1000, b"/home/user")
VERDICT = {
    "score": 7.5,
    "required": 15.0,
    "action": b"add header",
    "symbols": {b"BAYES_SPAM": 5.1, b"R_DKIM_ALLOW": -0.2},
}


def _reply(verdict: dict[str, Any] | None) -> Reply | None:
    if verdict is None:
        return None
    symbols = {name.decode(): {"score": score} for name, score in verdict["symbols"].items()}
    said = {"score": verdict["score"], "required_score": verdict["required"], "action": verdict["action"].decode()}
    return Reply({**said, "symbols": symbols}, b"")


def tried(rules: str, verdict: dict[str, Any] | None, marked: bool = False) -> Report:
    program = compile_text("conf", STDIN + rules, Imagined()).program
    assert program is not None
    if marked:
        program = mark_unknown(program, verdict is not None)
    world = World(lambda _: ME, lambda *_: False)
    return simulate(
        program, program[2][0], b"Subject: x\n\nx\n", Circumstances(ME, 0, b"h", b"h", b"1"), world, _reply(verdict)
    )


def holds(condition: str, verdict: dict[str, Any] | None = VERDICT) -> bool:
    return tried(f"match {condition} action drop\nmatch all action stdout\n", verdict).outcome == "dropped"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("spam score > 7", True),
        ("spam score > 7.49", True),
        ("spam score > 7.5", False),
        ("spam score < 7.5", False),
        ("spam score < 8", True),
        ("spam score > -3", True),
        ("spam score < -0.5", False),
        ('spam action "add header"', True),
        ('spam action "Add header"', False),
        ('spam actions { "reject" "add header" }', True),
        ('spam action { "reject" "greylist" }', False),
        ('spam action "%[kind]"', False),
        ('spam symbol "BAYES_SPAM"', True),
        ('spam symbol "BAYES_*"', True),
        ('spam symbol "R_DKIM_*"', True),
        ('spam symbol "bayes_*"', False),
        ('spam symbol "CLAM_VIRUS"', False),
        ('not spam score > 9 and spam symbol "*"', True),
    ],
)
def test_a_condition_asks_the_verdict(condition: str, expected: bool) -> None:
    assert holds(condition) is expected


@pytest.mark.parametrize(
    "condition", ["spam score > -99", "spam score < 99", 'spam action "no action"', 'spam symbol "*"']
)
def test_without_a_verdict_nothing_is_true(condition: str) -> None:
    assert not holds(condition, None)
    assert holds("not " + condition, None)


def test_a_number_may_be_a_macro() -> None:
    report = tried("%most = 7 match spam score > %most action drop", VERDICT)
    assert report.outcome == "dropped"


@pytest.mark.parametrize(
    "condition",
    [
        "spam score > 7.5",
        "spam score < -5",
        'spam action "reject" "greylist"',
        'spam symbol "BAYES_*"',
        "spam score > 100",
    ],
)
def test_a_condition_is_explained_as_it_is_written(condition: str) -> None:
    written = condition.replace('"reject" "greylist"', '{ "reject" "greylist" }')
    report = tried(f"match {written} action drop\nmatch all action stdout\n", VERDICT)
    assert report.rules[0].tried[0].text == condition


def test_a_dry_run_without_a_verdict_says_so_where_something_scans() -> None:
    rules = 'set scan "http://h:1"\nmatch spam score > 5 action drop\nmatch all action stdout\n'
    report = tried(rules, None, marked=True)
    assert (report.outcome, report.rules[0].tried[0].text) == ("unknown", "spam score > 5")
    assert tried(rules, VERDICT, marked=True).outcome == "dropped"
    assert tried(rules.replace('set scan "http://h:1"', ""), None, marked=True).outcome == "delivered"


def warned(rules: str) -> list[tuple[str, str]]:
    text = "set allow-multiple\n" + STDIN + rules + "match all action stdout\n"
    return [(each.name, each.at.span.text) for each in lint.findings(compile_text("conf", text, Imagined()))]


def test_a_rule_that_nobody_can_answer_is_reported() -> None:
    rule = "match spam score > 5 action stdout\n"
    assert warned(rule) == [("spam-without-scan", "spam score > 5")]
    assert warned('set scan "unix:/s"\n' + rule) == []
    assert warned("# rulesmith: allow(spam-without-scan)\n" + rule) == []


def test_an_action_that_rspamd_does_not_have_is_reported() -> None:
    text = 'set scan "unix:/s"\nmatch spam action { "reject" "add_header" "%[x]" } action drop'
    compiled = compile_text("conf", text, Imagined())
    (found,) = compiled.diagnostics
    assert (found.name, found.at.span.text, found.help) == (
        "unknown-spam-action",
        '"add_header"',
        'did you mean "add header"?',
    )
    assert compiled.program is not None
