"""The trace of `rulesmith dry-run`: what decided, where it matched, what was left out, what changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith

STDIN = 'set no-received account "stdin" stdin\n'
MAIL = (
    "From: Bob <bob@example.org>\r\nTo: a@example.org,\r\n\tme@example.org\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, rules: str, mail: str, *options: str, colour: bool = False) -> str:
        conf = self.folder / "fdm.conf"
        conf.write_text(STDIN + rules)
        conf.chmod(0o600)
        (self.folder / "mail").write_bytes(mail.encode())
        run = CliRunner().invoke(
            rulesmith, ["dry-run", "-f", str(conf), *options, str(self.folder / "mail")], color=colour
        )
        assert run.exit_code in (0, 1), run.output
        return run.stdout

    def report(self, rules: str, mail: str, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(rules, mail, "--format", "json", *options))
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_match_has_its_field_its_offset_and_its_octets(bench: Bench) -> None:
    mail = MAIL + "\r\nbody\r\n"
    report = bench.report('match "me@example" in headers action drop\n', mail)
    match = report["rules"][0]["conditions"][0]["match"]
    assert (match["header"], match["text"], match["before"]) == ("To", "me@example", "To: a@example.org, \t")
    # The field is unfolded for the regexp, CR LF TAB being two octets there; the message is as it is.
    assert match["offset"] == mail.index("me@example")


@pytest.mark.parametrize(
    ("rule", "mail", "offset"),
    [
        ('match "^x"', "Subject: axx\n\nyx\nxx\n", 17),  # not the first x
        ('match "o+$" in body', "Subject: a\n\nfoo bar\nboo\n", 21),
        ('match "(?<=b)o" in body', "Subject: a\n\nfo bo\n", 16),  # look-behind
        ('match "a(b|bc)(bcd)?$" in body', "A: a\n\nxx abcbcd\n", 9),
        ('match case "X" in body', "A: a\n\nxX\n", 7),
    ],
)
def test_the_offset_is_that_of_the_match_and_not_of_equal_octets(
    bench: Bench, rule: str, mail: str, offset: int
) -> None:
    report = bench.report(f"{rule} action drop\n", mail)
    assert report["rules"][0]["conditions"][0]["match"]["offset"] == offset


def test_what_is_encoded_is_shown_decoded_too(bench: Bench) -> None:
    report = bench.report('match "^Subject:.*utf" in headers action drop\n', MAIL + "\r\n")
    assert report["rules"][0]["conditions"][0]["match"]["decoded"] == "grüße"
    body = "A: b\nContent-Transfer-Encoding: {}\n\n{}\n"
    for encoding, text in (("quoted-printable", "gr=C3=BC=C3=9Fe"), ("base64", "Z3LDvMOfZQ==")):
        report = bench.report(f'match "{text[:4]}" in body action drop\n', body.format(encoding, text))
        assert report["rules"][0]["conditions"][0]["match"]["decoded"] == "grüße"
    report = bench.report('match "plain" in body action drop\n', body.format("8bit", "plain"))
    assert report["rules"][0]["conditions"][0]["match"]["decoded"] is None


def test_the_text_that_matched_is_marked_in_a_terminal_and_by_carets(bench: Bench) -> None:
    text = bench.run('match "^From:.*bob" in headers action drop\n', MAIL + "\r\n", colour=True)
    assert click.style("From: Bob <bob", bold=True, reverse=True) + "@example.org>" in text
    plain = bench.run('match "^From:.*bob" in headers action drop\n', MAIL + "\r\n")
    assert "    From: Bob <bob@example.org>\n    ^^^^^^^^^^^^^^ From field, offset 0 (offset 0 of" in plain


def test_no_octet_of_a_message_reaches_the_terminal_as_it_is(bench: Bench) -> None:
    text = bench.run('match "^Subject:.*" in headers action drop\n', "Subject: a\x1b[31m\x07\n\n")
    assert "\x1b" not in text
    assert "\\x1b" in text


def test_conditions_that_are_passed_over_say_why(bench: Bench) -> None:
    rules = 'match "no" in body and size > 1K or all or "x" action drop\n'
    conditions = bench.report(rules, "A: b\n\n")["rules"][0]["conditions"]
    assert [(each["join"], each["result"], each["skipped"]) for each in conditions] == [
        (None, False, None),
        ("and", None, "the conditions before do not hold"),
        ("or", True, None),
        ("or", None, "the conditions before hold already"),
    ]


def test_rules_that_are_not_tried_say_why(bench: Bench) -> None:
    rules = (
        'match "no" in body {\n match all action drop\n}\n'
        "match all {\n match all action drop\n match all action keep\n}\nmatch all action keep\n"
    )
    outer, entered, after = bench.report(rules, "A: b\n\n")["rules"]
    assert [(each["result"], each["why"]) for each in outer["rules"]] == [
        ("not tried", "rule 0 does not match, so its block is not entered")
    ]
    assert entered["result"] == "match"
    assert [each["result"] for each in entered["rules"]] == ["match", "not tried"]
    assert (after["result"], after["why"]) == ("not tried", "rule 3 has ended the search")


@pytest.mark.parametrize(
    ("rules", "results"),
    [
        ('match all action "nosuch"\nmatch all action drop\n', ["match", "not tried"]),
        ('match exec "x" user "nosuch" returns (0, ) action drop\nmatch all action drop\n', ["failed", "not tried"]),
        ('match not all action drop\nmatch pipe "x" user "nosuch" returns (0, ) { }\n', ["no match", "failed"]),
    ],
)
def test_an_error_is_at_its_rule_and_why_the_rest_is_not_tried(bench: Bench, rules: str, results: list[str]) -> None:
    report = bench.report(rules, "A: b\n\n")
    assert [each["result"] for each in report["rules"]] == results
    blamed = [each for each in report["rules"] if each["result"] != "no match"]
    assert all("nosuch" in each["why"] for each in blamed)
    assert "this stopped everything: " in bench.run(rules, "A: b\n\n")


def test_what_is_unknown_is_at_its_rule(bench: Bench) -> None:
    report = bench.report('match not all action drop\nmatch exec "x" returns (0, ) action drop\n', "A: b\n\n")
    assert [each["result"] for each in report["rules"]] == ["no match", "unknown"]
    assert 'depends on exec "x"' in report["rules"][1]["why"]


def test_tags_captures_caches_and_the_message_change_where_they_do(bench: Bench, tmp_path: Path) -> None:
    rules = f"""cache "{tmp_path}/seen"
match "^Subject: (.*)$" in headers action {{ tag "what" value "%1" add-header "X-What" value "%[what]"
    add-to-cache "{tmp_path}/seen" key "k" }} continue
match in-cache "{tmp_path}/seen" key "k" and tagged "what" action drop
"""
    first, second = bench.report(rules, "Subject: tea\n\nb\n")["rules"]
    assert first["conditions"][0]["captures"] == ["Subject: tea", "tea"]
    tag, added, cached = (job["changes"] for job in first["actions"])
    assert [each["text"] for each in tag] == ["%[what] is now 'tea'"]
    assert added[0]["diff"] == ["@@ -1,2 +1,3 @@", " Subject: tea", "+X-What: tea", " "]
    assert [each["what"] for each in cached] == ["cache"]
    assert [each["facts"] for each in second["conditions"]] == [
        ['the key "k" is in the cache'],
        ["its tags: what (tea)"],
    ]
    assert not (tmp_path / "seen").exists()


def test_a_rewrite_is_shown_when_it_is_asked_for(bench: Bench, tmp_path: Path) -> None:
    rules = (
        f'match all action rewrite "sed s/tea/coffee/ && touch {tmp_path}/ran" continue\nmatch "coffee" action drop\n'
    )
    assert bench.report(rules, "Subject: tea\n\nb\n", "--run-commands")["outcome"] == "unknown"
    assert not (tmp_path / "ran").exists()
    report = bench.report(rules, "Subject: tea\n\nb\n", "--run-rewrites")
    assert report["rules"][0]["actions"][0]["changes"][0]["diff"][1:3] == ["-Subject: tea", "+Subject: coffee"]
    assert report["outcome"] == "dropped"


def test_the_plan_says_who_gets_it_where(bench: Bench) -> None:
    rules = (
        'match all actions { "a" "b" }\n'
        'action "a" pipe "/usr/libexec/dovecot/deliver -d a@example.org -m Lists"\n'
        'action "b" pipe "/usr/libexec/dovecot/deliver -d a@example.org"\n'
    )
    lines = rules.splitlines(keepends=True)
    report = bench.report("".join([*lines[1:], lines[0]]), "A: b\n\n")
    assert report["plan"] == {"a@example.org": ["Lists", "INBOX"]}


@pytest.mark.parametrize(
    ("condition", "fact"),
    [
        ("size > 1K", "the message has 40 bytes"),
        ("age > 3 days", "the message has no Date field"),
        ('tagged "x"', "no rule has given the message a tag"),
        ('attachment any-name "*.exe"', "the message has no attachments"),
        ('string "%[account]!" to "x"', 'the string is "stdin!"'),
        ('not account "std*"', 'the account is "stdin"'),
        ("spam score > 3", "there is no spam verdict"),
    ],
)
def test_a_condition_says_what_it_looked_at(bench: Bench, condition: str, fact: str) -> None:
    report = bench.report(f"match {condition} action drop\n", "From: bob@example.org\nSubject: tea\n\nhot\n")
    assert report["rules"][0]["conditions"][0]["facts"] == [fact]


COMMANDS = [
    ('exec "test -e %[account]" returns (1, )', "test -e * -> 1", "dropped"),
    ('exec "test -e %[account]" returns (1, )', "test -e stdin -> 0", "kept"),
    ('pipe "bogofilter -T" returns (, "^S (.*)")', "bogofilter* -> 0 S 0.99", "dropped"),
    ('pipe "bogofilter -T" returns (2, "^S")', "bogofilter* -> 2 H\\nS", "dropped"),
    ('pipe "bogofilter -T" returns (, "^S")', "bogofilter* -> 0 H 0.01", "kept"),
    ('exec "other" returns (0, )', "test* -> 0", "unknown"),
]


@pytest.mark.parametrize(("condition", "assumed", "outcome"), COMMANDS)
def test_a_command_can_be_assumed(bench: Bench, condition: str, assumed: str, outcome: str) -> None:
    report = bench.report(f"match {condition} action drop\n", "A: b\n\n", "--assume", assumed)
    assert report["outcome"] == outcome


def test_a_spam_verdict_from_a_file_answers_spam_conditions(bench: Bench, tmp_path: Path) -> None:
    rules = 'set scan "http://127.0.0.1:9"\nmatch spam action "add header" and spam symbol "BAYES*" action drop\n'
    assert bench.report(rules, "A: b\n\n")["outcome"] == "unknown"
    verdict = tmp_path / "verdict.json"
    said = {"score": 9.5, "required_score": 15, "action": "add header", "symbols": {"BAYES_SPAM": {"score": 5.1}}}
    verdict.write_text(json.dumps(said))
    report = bench.report(rules, "A: b\n\n", "--verdict", str(verdict))
    assert report["outcome"] == "dropped"
    fact = "score 9.5, action add header, symbols: BAYES_SPAM"
    assert [each["facts"] for each in report["rules"][0]["conditions"]] == [[fact], [fact]]
    header = 'set scan "http://127.0.0.1:9"\nmatch "^X-Spam: yes" in headers action drop\n'
    assert bench.report(header, "A: b\nX-Spam: no\n\n", "--verdict", str(verdict))["outcome"] == "dropped"
    verdict.write_text(json.dumps({**said, "action": "no action"}))
    assert bench.report(header, "A: b\nX-Spam: yes\n\n", "--verdict", str(verdict))["outcome"] == "kept"
    assert bench.report(rules, "A: b\n\n", "--verdict", str(verdict))["outcome"] == "kept"


def test_what_a_rewrite_would_make_of_the_message_is_what_is_missing(bench: Bench) -> None:
    rules = 'match all action rewrite "filter -p" continue\nmatch {} action drop\n'
    report = bench.report(rules.format('"^X: y" in headers'), "A: b\n\n")
    why = "whether rule 1 matches depends on what filter -p makes of the message, which is not run here"
    assert report["reason"] == why
    report = bench.report(rules.format('exec "x" returns (0, )'), "A: b\n\n")
    assert report["reason"] == 'whether rule 1 matches depends on exec "x" returns (0, ), which is not run here'


@pytest.mark.parametrize("content", ["", "[]", "{}", "no json", '{"score": "x", "action": 1}'])
def test_a_file_that_is_no_verdict_is_a_usage_error(bench: Bench, tmp_path: Path, content: str) -> None:
    (tmp_path / "verdict.json").write_text(content)
    (tmp_path / "fdm.conf").write_text(STDIN + "match all action drop\n")
    words = ["dry-run", "-f", str(tmp_path / "fdm.conf"), "--verdict", str(tmp_path / "verdict.json"), "-"]
    run = CliRunner().invoke(rulesmith, words, input="A: b\n\n")
    assert run.exit_code == 2
    assert "verdict.json" in run.output
