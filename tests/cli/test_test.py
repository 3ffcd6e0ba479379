"""`rulesmith test`: tests that people write, what fails and how it is shown, coverage, and tests that are recorded."""

from __future__ import annotations

import json
import os
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith

CONF = """\
set no-received
account "stdin" stdin
action "lists" pipe "/usr/libexec/dovecot/deliver -d me@example.org -m Lists"
action "inbox" pipe "/usr/libexec/dovecot/deliver -d me@example.org"
match "^List-Id:" in headers and not size > 10K action { "lists" "inbox" }
match "^Subject:.*tea" in headers action tag "drink" value "tea" continue
match all action "inbox"
"""


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "fdm.conf"
        self.tests = folder / "fdm.conf.tests.toml"

    def run(self, tests: str | None, *options: str, conf: str = CONF) -> Result:
        self.conf.write_text(conf)
        self.conf.chmod(0o600)
        if tests is not None:
            self.tests.write_text(tests)
        return CliRunner().invoke(rulesmith, ["test", "-f", str(self.conf), *options])

    def passes(self, test: str, conf: str = CONF) -> bool:
        result = self.run(f'[[test]]\nname = "t"\n{test}\n', conf=conf)
        assert result.exit_code in (0, 1), result.output
        return result.exit_code == 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


LIST = 'headers = { "List-Id" = "<a.b>" }\n'


@pytest.mark.parametrize(
    ("test", "passes"),
    [
        ('goes-to = "me@example.org/INBOX"', True),
        ('goes-to = "me@example.org/Lists"', False),
        ('outcome = "delivered"', True),
        ('outcome = "dropped"', False),
        (LIST + 'goes-to = ["me@example.org/INBOX", "me@example.org/Lists"]', True),
        (LIST + 'goes-to = "me@example.org/INBOX"', False),  # one too many
        (LIST + 'goes-to = ["*/Lists", "*/INBOX"]', True),
        (LIST + 'size = "20K"\ngoes-to = "me@example.org/INBOX"', True),
        ('list-id = "<a.b>"\nactions = ["lists", "inbox"]', True),
        ('actions = ["lists"]', False),
        ('subject = "tea"\ntags = { drink = "tea" }', True),
        ('subject = "tea"\ntags = { drink = "milk" }', False),
        ('tags = { drink = "tea" }', False),
        ('message = "Subject: tea\\n\\nhot\\n"\ntags = { drink = "tea" }', True),
        ('subject = "tea"\nhas = ["Subject: tea", "date:"]', True),
        ('subject = "tea"\nhas = "Subject: milk"', False),
        ('subject = "tea"\nhas-not = "X-Spam:"', True),
        ('subject = "tea"\nhas-not = "Subject:"', False),
    ],
)
def test_a_test_passes_if_all_that_it_expects_happens(bench: Bench, test: str, passes: bool) -> None:
    assert bench.passes(test) is passes


def test_text_beyond_ascii_is_encoded_as_in_mail(bench: Bench) -> None:
    conf = CONF.replace('"^Subject:.*tea"', '"^Subject: =.utf-8.[qb].[^ ]*$"')
    assert bench.passes('subject = "Grüße"\ntags = { drink = "tea" }', conf)
    address = conf.replace("^Subject: ", "^From: ").replace("[^ ]*$", "[^ ]* <anna@example.org>$")
    assert bench.passes('from = "Anna Grün <anna@example.org>"\ntags = { drink = "tea" }', address)


def test_attachments_are_there_by_name(bench: Bench) -> None:
    conf = CONF.replace('"^List-Id:" in headers', 'attachment any-name "*.exe"')
    assert bench.passes('attachments = ["a.txt", "b.exe"]\nactions = ["lists", "inbox"]', conf)
    assert bench.passes('attachments = "a.txt"\nactions = ["inbox"]', conf)


COMMAND = 'account "stdin" stdin\nmatch exec "check %[account]" returns (0, "^S") action drop\nmatch all action keep\n'


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ('commands = { "check *" = { status = 0, output = "S 9" } }', "dropped"),
        ('commands = { "check stdin" = "S 9" }', "dropped"),
        ('commands = { "check *" = 1 }', "kept"),
        ('commands = { "check *" = { status = 0, output = "H" } }', "kept"),
    ],
)
def test_commands_return_what_is_assumed(bench: Bench, said: str, outcome: str) -> None:
    assert bench.passes(f'{said}\noutcome = "{outcome}"', COMMAND)


def test_a_command_that_nobody_answers_fails_the_test_and_is_not_run(bench: Bench, tmp_path: Path) -> None:
    conf = COMMAND.replace("check %[account]", f"touch {tmp_path}/ran")
    result = bench.run('[[test]]\nname = "t"\ngoes-to = []\n', conf=conf)
    assert result.exit_code == 1
    assert "unknown" in result.output
    assert not (tmp_path / "ran").exists()


def test_a_rewrite_gives_the_message_in_a_file(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "after.eml").write_text("Subject: tea\n\nhot\n")
    conf = CONF.replace('match "^List', 'match all action rewrite "brew" continue\nmatch "^List')
    test = 'subject = "milk"\ncommands = { brew = { message = "after.eml" } }\ntags = { drink = "tea" }'
    assert bench.passes(test, conf)


def test_a_command_of_the_configuration_itself_can_be_assumed_for_the_file(bench: Bench) -> None:
    conf = CONF.replace('"^Subject:.*tea"', "$(favourite)")
    tests = 'commands = { favourite = "tea" }\n[[test]]\nname = "t"\nsubject = "tea"\ntags = { drink = "tea" }\n'
    assert bench.run(tests, conf=conf).exit_code == 0


SPAM = 'set scan "http://127.0.0.1:9"\naccount "stdin" stdin\nmatch spam score > 10 action drop\n'
SYMBOL = SPAM.replace("score > 10", 'symbol "BAYES*" and spam action "reject"')


HEADER = SPAM.replace("spam score > 10", '"^X-Spam: yes" in headers')


@pytest.mark.parametrize(
    ("conf", "said", "outcome"),
    [
        (SPAM, "spam = true", "dropped"),
        (SPAM, "spam = false", "kept"),
        (SPAM, "spam = { score = 10.5 }", "dropped"),
        (SPAM, "spam = { score = 9 }", "kept"),
        (SYMBOL, 'spam = { action = "reject", symbols = ["BAYES_SPAM"] }', "dropped"),
        (SYMBOL, 'spam = { action = "reject", symbols = { HAM = -1 } }', "kept"),
        (SPAM, 'spam = "verdict.json"', "dropped"),
        (HEADER, "spam = true", "dropped"),
        (HEADER, 'spam = false\nheaders = { X-Spam = "yes" }', "kept"),  # the sender's own is taken out
    ],
)
def test_the_spam_verdict_is_assumed(bench: Bench, tmp_path: Path, conf: str, said: str, outcome: str) -> None:
    (tmp_path / "verdict.json").write_text('{"score": 11, "action": "reject"}')
    assert bench.passes(f'{said}\noutcome = "{outcome}"', conf)


@pytest.mark.parametrize(("now", "outcome"), [("2025-03-20 12:00:00", "dropped"), ('"2025-03-11T12:00:00Z"', "kept")])
def test_the_clock_is_assumed(bench: Bench, now: str, outcome: str) -> None:
    conf = 'account "stdin" stdin\nmatch age > 3 days action drop\n'
    assert bench.passes(f'now = {now}\ndate = "Tue, 11 Mar 2025 09:00:00 +0000"\noutcome = "{outcome}"', conf)
    assert bench.passes(f'now = {now}\noutcome = "kept"', conf)  # without a date the message is from now


def test_caches_hold_what_the_test_says_and_nothing_of_this_machine(bench: Bench) -> None:
    conf = 'account "stdin" stdin\ncache "~/.seen"\nmatch in-cache "~/.seen" key "%[message_id]" action drop\n'
    test = 'message-id = "<1@a>"\ncaches = { "~/.seen" = ["1@a"] }\noutcome = "dropped"'
    assert bench.passes(test, conf)
    assert bench.passes(test.replace('["1@a"]', '["2@a"]').replace("dropped", "kept"), conf)


def test_what_stands_at_the_top_holds_for_all_tests_and_a_test_may_differ(bench: Bench) -> None:
    tests = (
        'spam = true\n[[test]]\nname = "a"\noutcome = "dropped"\n[[test]]\nname = "b"\nspam = false\noutcome = "kept"\n'
    )
    assert bench.run(tests, conf=SPAM).exit_code == 0


TWO = """\
[[test]]
name = "Lists are sorted"
list-id = "<a.b>"
goes-to = "me@example.org/Lists"

[[test]]
name = "The rest stays"
goes-to = "*/INBOX"
"""


def test_a_failure_shows_the_difference_its_place_and_the_rule(bench: Bench) -> None:
    result = bench.run(TWO)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == f"FAIL  Lists are sorted ({bench.tests}:1)"
    assert lines[1:3] == ["      goes-to:", "        + me@example.org/INBOX"]
    assert f"rule 0 ({bench.conf}:5), decided by not size > 10240" in lines[3]
    assert lines[4:] == ["ok    The rest stays", "2 tests: 1 ok, 1 failed"]


@pytest.mark.parametrize(("only", "count"), [("rest", 1), ("LISTS*", 1), ("*s*", 2)])
def test_only_runs_the_tests_of_that_name(bench: Bench, only: str, count: int) -> None:
    assert f"\n{count} test" in "\n" + bench.run(TWO, "--only", only).output


def test_no_tests_are_no_success(bench: Bench) -> None:
    assert bench.run(TWO, "--only", "nothing").exit_code == 2
    bench.tests.unlink()
    result = bench.run(None)
    assert result.exit_code == 2
    assert "no tests beside" in result.output


def test_tap(bench: Bench) -> None:
    lines = bench.run(TWO, "--format", "tap").output.splitlines()
    assert lines[:3] == ["TAP version 14", "1..2", "not ok 1 - Lists are sorted"]
    assert lines[-1] == "ok 2 - The rest stays"
    assert "  ..." in lines


def test_junit(bench: Bench) -> None:
    suite = ET.fromstring(bench.run(TWO, "--format", "junit").output)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed, passed = suite
    assert failed.get("name") == "Lists are sorted"
    assert "+ me@example.org/INBOX" in (failed[0].text or "")
    assert len(passed) == 0


def test_coverage_names_what_no_test_has_seen(bench: Bench) -> None:
    result = bench.run(TWO.replace('goes-to = "me@example.org/Lists"', 'outcome = "delivered"'), "--coverage")
    assert result.exit_code == 0
    shown = result.output[result.output.index("coverage") :].splitlines()
    assert "67 % (2 of 3 rules matched, 4 of 6 outcomes of conditions seen)" in shown[0]
    assert [line.rpartition("/")[2] for line in shown[1:]] == [
        "fdm.conf:5: rule 0: not size > 10240 was never false",
        "fdm.conf:6: rule 1 has never matched",
        'fdm.conf:6: rule 1: regexp "^Subject:.*tea" in headers was never true',
    ]


@pytest.mark.parametrize(("least", "status"), [("66", 0), ("67", 1)])
def test_too_little_coverage_fails(bench: Bench, least: str, status: int) -> None:
    tests = TWO.replace('goes-to = "me@example.org/Lists"', 'outcome = "delivered"')
    assert bench.run(tests, "--fail-under", least).exit_code == status


def test_full_coverage_is_possible(bench: Bench) -> None:
    tests = TWO.replace('goes-to = "me@example.org/Lists"', 'outcome = "delivered"')
    tests += '[[test]]\nname="c"\nsubject = "tea"\nlist-id = "<a>"\nsize = "20K"\ntags = { drink = "tea" }\n'
    assert bench.run(tests, "--fail-under", "100").exit_code == 0


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("[[test]]\n", "a test needs a name"),
        ('[[test]]\nname = "t"\n', "expects nothing"),
        ('[[test]]\nname = "t"\ngoesto = "x"\n', 'did you mean "goes-to"'),
        ('[[test]]\nname = "t"\noutcome = "lost"\n', "`outcome` is one of"),
        ('[[test]]\nname = "t"\nfile = "no.eml"\noutcome = "kept"\n', "no.eml: No such file"),
        ('[[test]]\nname = "t"\nfile = "no.eml"\nsubject = "x"\noutcome = "kept"\n', "`subject` cannot be given too"),
        ('[[test]]\nname = "t"\nnow = "soon"\noutcome = "kept"\n', "2025-03-11"),
        ('[[test]]\nname = "t"\nspam = 3\noutcome = "kept"\n', "`spam` is true, false"),
        ('[[test]]\nname = "t"\nsubject = 3\noutcome = "kept"\n', "`Subject` is a text"),
        ('[[test]]\nname = "t"\ncommands = { a = true }\noutcome = "kept"\n', "what `a` returns"),
        ("[[test]\n", "fdm.conf.tests.toml"),
        ('test = "x"\n', "[[test]]"),
        ('tset = "x"\n[[test]]\nname = "t"\noutcome = "kept"\n', "`tset` means nothing here"),
    ],
)
def test_a_fault_in_a_test_is_2_and_says_what_is_wrong(bench: Bench, tests: str, said: str) -> None:
    result = bench.run(tests)
    assert result.exit_code == 2
    assert said in result.output


def test_tests_in_a_folder_beside_the_configuration_are_found(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "mail.eml").write_text("Subject: tea\n\nhot\n")
    (tmp_path / "tests" / "drinks.toml").write_text(
        '[[test]]\nname = "t"\nfile = "mail.eml"\ntags = { drink = "tea" }\n'
    )
    result = bench.run(TWO)
    assert "3 tests: 2 ok, 1 failed" in result.output
    alone = CliRunner().invoke(rulesmith, ["test", str(tmp_path / "tests" / "drinks.toml")])
    assert (alone.exit_code, alone.output) == (0, "ok    t\n1 test: 1 ok, 0 failed\n")


MARKED = "X-Rulesmith-{}\nSubject: =?utf-8?q?tea_f=C3=BCr_zwei?=\n tea\nX-Other: x\n\nhot\n"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("Goes-To: */INBOX", 0),
        ("Goes-To: */Lists", 1),
        ("Goes-To: */INBOX\nList-Id: <a>\nX-Rulesmith-Goes-To: */Lists", 0),
        ("Goes-To: */INBOX,\n\t*/Lists\nList-Id: <a>", 0),
        ("Outcome: dropped", 1),
        ("Actions: inbox\nX-Rulesmith-Spam: yes\nX-Rulesmith-Now: 2025-03-11 09:00:00", 0),
        ("Has-Not: X-Rulesmith-Has-Not:", 0),  # the rules do not see these fields
        ("Outcome: lost", 2),
        ("Gose-To: x", 2),
        ("Spam: perhaps", 2),
        ("Name: x", 2),
    ],
)
def test_a_message_can_say_itself_what_becomes_of_it(bench: Bench, tmp_path: Path, fields: str, status: int) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.eml").write_text(MARKED.format(fields))
    (tmp_path / "tests" / "plain.eml").write_text("Subject: no test\n\n")
    result = bench.run(None)
    assert result.exit_code == status, result.output
    if status == 0:
        assert result.output == "ok    tea für zwei tea\n1 test: 1 ok, 0 failed\n"


def test_a_faulty_configuration_is_2(bench: Bench) -> None:
    assert bench.run(TWO, conf="match all actoin drop\n").exit_code == 2


def test_a_recorded_test_passes_until_the_rules_change(bench: Bench, tmp_path: Path) -> None:
    mail = tmp_path / "mails" / "hello there.eml"
    mail.parent.mkdir()
    mail.write_text("Subject: tea\n\nhot\n")
    for _ in range(2):
        assert bench.run(None, "--record", str(mail)).exit_code == 0
    text = bench.tests.read_text()
    assert 'name = "hello there"\nfile = "mails/hello there.eml"\n' in text
    assert 'name = "hello there (2)"' in text
    assert 'goes-to = ["me@example.org/INBOX"]' in text
    assert bench.run(None).exit_code == 0
    assert (
        bench.run(
            None, conf=CONF.replace("match all action", 'match all action "lists" continue match all action')
        ).exit_code
        == 1
    )


def test_a_recorded_test_holds_clock_verdict_commands_and_caches(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = f"""\
set scan "http://127.0.0.1:9"
account "stdin" stdin
cache "{tmp_path}/seen"
match spam symbol "BAD" and exec "check" returns (, "^S") and age < 1 hour
    and in-cache "{tmp_path}/seen" key "k" action drop
"""
    (tmp_path / "verdict.json").write_text(
        json.dumps({"score": 1.5, "action": 'say "no"', "symbols": {"BAD": {"score": 1.5}}})
    )
    mail = tmp_path / "m.eml"
    now = time.time()
    mail.write_text(f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime(now))}\n\nx\n")
    assert CliRunner().invoke(rulesmith, ["cache", "add", str(tmp_path / "seen"), "k"]).exit_code == 0
    options = ["--verdict", str(tmp_path / "verdict.json"), "--assume", "check -> 0 S 9", "--name", 'a "b"']
    result = bench.run(None, "--record", str(mail), *options, conf=conf)
    assert result.exit_code == 0, result.output
    (tmp_path / "seen").unlink()
    monkeypatch.setattr(time, "time", lambda: now + 86400)
    again = bench.run(None, conf=conf)
    assert (again.exit_code, again.output) == (0, 'ok    a "b"\n1 test: 1 ok, 0 failed\n')
    assert 'outcome = "dropped"' in bench.tests.read_text()


def test_what_is_unknown_is_not_recorded(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("A: b\n\n")
    result = bench.run(None, "--record", str(tmp_path / "m.eml"), conf=COMMAND)
    assert result.exit_code == 2
    assert "--assume" in result.output
    assert not bench.tests.exists()


def test_a_recorded_file_of_another_name_says_which_configuration_it_is_for(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("A: b\n\n")
    (tmp_path / "deep").mkdir()
    other = tmp_path / "deep" / "mine.toml"
    assert bench.run(None, "--record", str(tmp_path / "m.eml"), str(other)).exit_code == 0
    assert other.read_text().startswith('config = "../fdm.conf"\n')
    assert CliRunner().invoke(rulesmith, ["test", str(other)]).exit_code == 0


def test_a_name_that_toml_cannot_hold_is_refused_before_anything_is_written(bench: Bench, tmp_path: Path) -> None:
    mail = tmp_path / os.fsdecode(b"\xff\xe9.eml")
    mail.write_bytes(b"From: a@b\n\nx\n")
    result = bench.run(None, "--record", str(mail))
    assert result.exit_code == 2
    assert "a file of tests is UTF-8" in result.output
    assert not list(tmp_path.rglob("*.toml"))
