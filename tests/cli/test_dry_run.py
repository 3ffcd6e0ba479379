"""`rulesmith dry-run`: what would happen, and that nothing does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith

SEED = """\
account "stdin" disabled stdin
action "alias@example.com" pipe "/usr/libexec/dovecot/deliver -d alias@example.com"
action "alias@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d alias@example.com -m Received"
action "user@example.com" pipe "/usr/libexec/dovecot/deliver -d user@example.com"
action "user@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d user@example.com -m Received"
match "^Delivered-To: alias@example.com" in headers action { "alias@example.com" "alias@example.com:Received" }
match all action { "user@example.com" "user@example.com:Received" }
"""
MAIL = "Delivered-To: {}\nFrom: bob@example.org\nSubject: hello\n\nbody\n"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, config: str, *messages: str, options: tuple[str, ...] = ()) -> Result:
        conf = self.folder / "fdm.conf"
        conf.write_text(config)
        conf.chmod(0o600)
        names = []
        for number, message in enumerate(messages):
            path = self.folder / f"{number}.eml"
            path.write_text(message)
            names.append(str(path))
        return CliRunner().invoke(rulesmith, ["dry-run", "-f", str(conf), *options, *names])

    def report(self, config: str, message: str, *options: str) -> dict[str, Any]:
        result = self.run(config, message, options=("--format", "json", *options))
        found: dict[str, Any] = json.loads(result.output)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_seed_goes_to_the_mailboxes_it_names(bench: Bench) -> None:
    report = bench.report(SEED, MAIL.format("alias@example.com"))
    assert report["outcome"] == "delivered"
    assert [each["mailbox"] for each in report["deliveries"]] == [
        "alias@example.com/INBOX",
        "alias@example.com/Received",
    ]
    assert report["deliveries"][0]["command"] == "/usr/libexec/dovecot/deliver -d alias@example.com"
    rule, other = report["rules"]
    assert (rule["rule"], rule["line"], rule["result"]) == (0, 6, "match")
    assert (other["result"], other["why"]) == ("not tried", "rule 0 has ended the search")
    assert rule["decided_by"] == 'regexp "^Delivered-To: alias@example.com" in headers'
    assert rule["matched"] == "Delivered-To: alias@example.com"


def test_every_rule_that_was_tried_is_told(bench: Bench) -> None:
    report = bench.report(SEED, MAIL.format("user@example.com"))
    assert [(rule["rule"], rule["result"]) for rule in report["rules"]] == [(0, "no match"), (1, "match")]
    assert report["rules"][0]["matched"] is None


def test_text_names_rule_file_line_command_user_and_mailbox(bench: Bench) -> None:
    result = bench.run(SEED, MAIL.format("user@example.com"))
    assert result.exit_code == 0
    assert "0.eml: delivered" in result.output
    assert "fdm.conf:7): match, decided by all" in result.output
    assert "pipe /usr/libexec/dovecot/deliver -d user@example.com -m Received as " in result.output
    assert "-> user@example.com/Received" in result.output


def test_nothing_is_run_and_nothing_is_written(bench: Bench, tmp_path: Path) -> None:
    config = f"""\
account "stdin" stdin
cache "{tmp_path}/keys"
match exec "touch {tmp_path}/condition" returns (0, ) action drop
match all action {{ exec "touch {tmp_path}/exec" rewrite "touch {tmp_path}/rewrite" }}
"""
    certain = f"""\
account "stdin" stdin
cache "{tmp_path}/keys"
action "in" {{ maildir "{tmp_path}/Mail" mbox "{tmp_path}/box" write "{tmp_path}/file" stdout }}
match all action add-to-cache "{tmp_path}/keys" key "k" continue
match in-cache "{tmp_path}/keys" key "k" action {{ exec "touch {tmp_path}/exec" pipe "touch {tmp_path}/pipe" }} continue
match all action "in"
"""
    before = {"fdm.conf", "0.eml"}
    for each in (config, certain):
        bench.run(each, MAIL.format("x"))
        assert {path.name for path in tmp_path.iterdir()} == before


def test_what_a_rule_adds_to_a_cache_is_known_to_later_rules(bench: Bench, tmp_path: Path) -> None:
    config = f"""\
account "stdin" stdin
cache "{tmp_path}/keys"
match all action add-to-cache "{tmp_path}/keys" key "k" continue
match in-cache "{tmp_path}/keys" key "k" action maildir "{tmp_path}/seen"
match all action maildir "{tmp_path}/new"
"""
    report = bench.report(config, MAIL.format("x"))
    assert [each["path"] for each in report["deliveries"] if each["kind"] == "maildir"] == [f"{tmp_path}/seen"]


def test_a_condition_on_a_command_is_unknown_unless_commands_are_run(bench: Bench) -> None:
    config = 'account "stdin" stdin\nmatch exec "exit 3" returns (3, ) action drop\nmatch all action maildir "x"\n'
    report = bench.report(config, MAIL.format("x"))
    assert report["outcome"] == "unknown"
    assert 'exec "exit 3" returns (3, )' in report["reason"]
    assert report["rules"][0]["result"] == "unknown"
    assert bench.report(config, MAIL.format("x"), "--run-commands")["outcome"] == "dropped"


def test_what_cannot_change_the_result_may_stay_unknown(bench: Bench) -> None:
    config = (
        'account "stdin" stdin\nmatch exec "false" returns (0, ) or all action maildir "a"\n'
        'match all action maildir "b"\n'
    )
    report = bench.report(config, MAIL.format("x"))
    assert (report["outcome"], [each["path"] for each in report["deliveries"]]) == ("delivered", ["a"])


def test_a_regexp_from_a_command_is_unknown(bench: Bench) -> None:
    config = 'account "stdin" stdin\nmatch $(echo hello) in headers action drop\nmatch all action drop\n'
    assert bench.report(config, MAIL.format("x"))["outcome"] == "unknown"


def test_after_a_rewrite_the_content_is_unknown_and_the_rest_is_not(bench: Bench) -> None:
    config = 'account "stdin" stdin\nmatch all action rewrite "cat" continue\n'
    assert bench.report(config + 'match all action maildir "x"\n', MAIL.format("x"))["outcome"] == "delivered"
    assert bench.report(config + 'match "hello" action maildir "x"\n', MAIL.format("x"))["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("rules", "outcome", "status"),
    [
        ("match all action drop", "dropped", 0),
        ("match all action keep", "kept", 1),
        ('match all action tag "x"', "kept", 1),
        ("match not all action drop", "kept", 1),
        ("set unmatched-mail drop match not all action drop", "dropped", 0),
        ('match all action "nosuch"', "deferred", 1),
        ('match all action maildir "x" continue', "delivered", 0),
        ("set maximum-size 1B match all action drop", "deferred", 1),
        ("set maximum-size 1B set delete-oversized match all action drop", "dropped", 0),
    ],
)
def test_the_exit_status_says_whether_fdm_would_exit_0(bench: Bench, rules: str, outcome: str, status: int) -> None:
    result = bench.run(f'account "stdin" stdin {rules}\n', MAIL.format("x"), options=("--format", "json"))
    assert (json.loads(result.output)["outcome"], result.exit_code) == (outcome, status)


def test_several_messages_are_one_object_a_line_and_the_worst_decides(bench: Bench) -> None:
    config = 'account "stdin" stdin\nmatch "^Delivered-To: a" in headers action drop\n'
    result = bench.run(config, MAIL.format("a"), MAIL.format("b"), options=("--format", "json"))
    *shown, summary = map(json.loads, result.output.splitlines())
    assert [each["outcome"] for each in shown] == ["dropped", "kept"]
    assert list(summary) == ["summary"]
    assert result.exit_code == 1


def test_a_faulty_configuration_is_2_with_its_place(bench: Bench) -> None:
    result = bench.run('account "stdin" stdin\nmatch all actoin drop\n', MAIL.format("x"))
    assert result.exit_code == 2
    assert "fdm.conf:2:11" in result.output


def test_a_missing_message_is_a_usage_error(bench: Bench, tmp_path: Path) -> None:
    conf = tmp_path / "c"
    conf.write_text(SEED)
    result = CliRunner().invoke(rulesmith, ["dry-run", "-f", str(conf), str(tmp_path / "nosuch")])
    assert result.exit_code == 2
    assert os.strerror(2) in result.output
