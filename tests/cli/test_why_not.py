"""`rulesmith why-not`: the condition that failed, and how near it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from rulesmith.cli import rulesmith
from rulesmith.explain.miss import in_text
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower
from rulesmith.regexp.search import search

STDIN = 'set no-received account "stdin" stdin\n'
MAIL = "From: Bob <bob@example.org>\nTo: me@example.org\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n\ncold coffee\n"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, rules: str, rule: str, *options: str, mail: str = MAIL) -> Result:
        conf = self.folder / "fdm.conf"
        conf.write_text(STDIN + rules)
        conf.chmod(0o600)
        (self.folder / "mail").write_bytes(mail.encode())
        return CliRunner().invoke(rulesmith, ["why-not", "-f", str(conf), *options, rule, str(self.folder / "mail")])

    def answer(self, rules: str, rule: str = "0", *options: str, mail: str = MAIL) -> dict[str, Any]:
        result = self.run(rules, rule, "--format", "json", *options, mail=mail)
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def miss(self, condition: str, mail: str = MAIL) -> dict[str, Any]:
        (failed,) = self.answer(f"match {condition} action drop\n", mail=mail)["failed"]
        found: dict[str, Any] = failed["miss"]
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("condition", "reached", "missing", "after"),
    [
        ('"^From:.*bob@example\\\\.com" in headers', "From: Bob <bob@example.", "com", "org>"),
        ('"coffee(pot|bean)s" in body', "coffee", "pots", ""),
        ('"cold (tea|milk)$" in body', "cold ", "tea", "coffee"),
        ('"(?<!x)cold m(?=i)ilk" in body', "cold ", "milk", "coffee"),  # roughly: the look-around is left out
    ],
)
def test_the_nearest_miss_is_the_one_with_the_least_missing(
    bench: Bench, condition: str, reached: str, missing: str, after: str
) -> None:
    miss = bench.miss(condition)
    assert (miss["reached"], miss["missing"], miss["after"]) == (reached, missing, after)


def test_a_place_that_is_wanted_is_named(bench: Bench) -> None:
    miss = bench.miss('"cold$" in body')
    assert (miss["reached"], miss["wanted"]) == ("cold", "the end of the line")


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('case "COLD" in body', "it would match without `case`"),
        ('"^coffee" in body', "without its anchors (such as ^ and $) it would match 'coffee'"),
        ('"cold" in headers', "it would match in the body"),
        ('"bob" in body', "it would match in the headers"),
        ('"^Subject:.*grü" in headers', "it would match the decoded header, but rules see it as it was sent, encoded"),
        ("'example\\\\.org' in headers", "a backslash is doubled between double quotes only"),
    ],
)
def test_what_would_make_it_match_is_said(bench: Bench, condition: str, hint: str) -> None:
    assert any(hint in each for each in bench.miss(condition)["hints"])


def test_a_regexp_that_is_far_off_gets_no_hint(bench: Bench) -> None:
    assert bench.miss('"^X-Nothing: like this" in headers')["hints"] == []


def test_the_fields_that_are_meant_are_shown_as_they_are(bench: Bench) -> None:
    miss = bench.miss('"^(To|Cc):.*you" in headers')
    assert (miss["fields"], miss["absent"]) == (["To: me@example.org"], ["Cc"])
    miss = bench.miss('"^Subject:.*tea" in headers')
    assert miss["fields"] == ["Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=   (decoded: grüße)"]


def test_only_what_failed_is_told_and_the_first_comes_first(bench: Bench) -> None:
    answer = bench.answer('match "cold" in body and "tea" in body and "milk" in body action drop\n')
    assert [each["condition"] for each in answer["failed"]] == ['regexp "tea" in body']
    answer = bench.answer('match "tea" in body or size > 10K action drop\n')
    assert [each["facts"] for each in answer["failed"]] == [[], [f"the message has {len(MAIL)} bytes"]]


def test_a_rule_sees_what_earlier_rules_have_changed(bench: Bench) -> None:
    rules = 'match all action add-header "X-List" value "tea" continue\nmatch "^X-List: team" in headers action drop\n'
    (failed,) = bench.answer(rules, "1")["failed"]
    assert failed["miss"]["reached"] == "X-List: tea"


def test_a_rule_that_was_not_tried_says_what_came_before_and_what_it_would_do_by_itself(bench: Bench) -> None:
    rules = 'match all action keep\nmatch "cold" action drop\nmatch "tea" action drop\n'
    found, other = bench.answer(rules, "1"), bench.answer(rules, "2")
    assert (found["result"], found["why"], found["alone"]) == ("not tried", "rule 0 has ended the search", "match")
    assert (other["alone"], len(other["failed"])) == ("no match", 1)
    text = bench.run(rules, "1").stdout
    assert "was not tried: rule 0 has ended the search\n  tried by itself it would match, decided by" in text


RULES = """action "a" maildir "a"
action "b" action "a"
match "x"
  action "b"
match "y" action "a"
match "z" action drop
"""


@pytest.mark.parametrize(
    ("rule", "found"), [("0", [0]), (":4", [0]), (":5", [0]), ("fdm.conf:6", [1]), ("a", [0, 1]), ("b", [0])]
)
def test_a_rule_is_named_by_number_place_or_action(bench: Bench, rule: str, found: list[int]) -> None:
    lines = bench.run(RULES, rule, "--format", "json", mail="A: b\n\n").stdout.splitlines()
    assert [json.loads(line)["rule"] for line in lines] == found


@pytest.mark.parametrize("rule", ["7", "other.conf:4", ":1", "nosuch"])
def test_a_rule_that_does_not_exist_is_a_usage_error(bench: Bench, rule: str) -> None:
    assert bench.run(RULES, rule).exit_code == 2


def test_the_exit_status_says_whether_it_takes_the_message(bench: Bench) -> None:
    assert bench.run('match "cold" action drop\n', "0").exit_code == 1
    assert bench.run('match "tea" action drop\n', "0").exit_code == 0


def test_a_negated_condition_shows_what_was_there(bench: Bench) -> None:
    text = bench.run('match not "cold" in body action drop\n', "0").stdout
    assert f"it is there: 'cold', offset {MAIL.index('cold')} of the message" in text


ALPHABET = st.sampled_from(["a", "b", "c", ".", "a*", "(ab|c)", "^", "$", "[ab]", "b{2}", "\\b", "x?", "\\n"])


@given(st.lists(ALPHABET, min_size=1, max_size=6).map("".join), st.text("abcx\n ", max_size=12), st.booleans())
def test_there_is_a_miss_exactly_where_there_is_no_match(regexp: str, text: str, posix: bool) -> None:
    try:
        pattern = lower(regexp.encode(), False, "posix" if posix else "pcre")
    except RegexpError:
        return
    view = text.encode()
    miss = in_text(view, pattern)
    found = search(pattern, view, view.lower()) is not None
    # glibc's `\\n` can match nothing at all: there is no nearest miss.
    assert (miss is None) is (found or (posix and "\\n" in regexp))
    if miss is not None:
        assert miss.before + miss.reached + miss.after in view


@pytest.mark.parametrize("rule", ["²", "9" * 5000, ":" + "9" * 5000, "٣"])
def test_a_number_that_no_rule_has_is_no_fault_of_ours(bench: Bench, rule: str) -> None:
    result = bench.run("match all action drop\n", rule)
    assert result.exit_code == 2
    assert "no rule" in result.output
