"""`rulesmith diff`: what changes, why, in what order it is told, and with which exit status."""

from __future__ import annotations

import json
import os
import random
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith
from rulesmith.diff.batch import Comparison
from tests.cli.imap_server import PASSWORD, imap_server

DELIVER = "/usr/libexec/dovecot/deliver -d me@example.org"
START = f"""\
set no-received
account "stdin" stdin
action "inbox" pipe "{DELIVER}"
action "lists" pipe "{DELIVER} -m Lists"
"""


class Bench:
    """Two configurations and a folder of mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "mail").mkdir()

    def mail(self, *subjects: str, fields: str = "") -> None:
        for subject in subjects:
            number = len(list((self.folder / "mail").iterdir()))
            text = f"From: bob@example.org\n{fields}Subject: {subject}\nMessage-ID: <{number}@x>\n\nhello\n"
            (self.folder / "mail" / f"{number:05}.eml").write_text(text)

    def conf(self, name: str, rules: str) -> str:
        path = self.folder / name
        path.write_text(START + rules)
        path.chmod(0o600)
        return str(path)

    def run(self, old: str, new: str, *words: str) -> Result:
        names = (self.conf("old.conf", old), self.conf("new.conf", new))
        return CliRunner().invoke(rulesmith, ["diff", *names, "--mail", str(self.folder / "mail"), *words])

    def found(self, old: str, new: str, *words: str) -> dict[str, Any]:
        result = self.run(old, new, "--format", "json", *words)
        found: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (1 if found["changed"] else 0)
        return found

    def texts(self, old: str, new: str, *words: str) -> list[tuple[str, int, str]]:
        """Kind, number and words of each group, without the folder of the configurations."""
        groups = self.found(old, new, *words)["groups"]
        return [(each["kind"], each["count"], each["text"].replace(f"{self.folder}/", "")) for each in groups]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


ALL = 'match all action "inbox"\n'
TEA = 'match "^Subject: tea" in headers action "lists"\n'


def test_a_move_says_from_where_to_where_and_by_which_rule_with_examples(bench: Bench) -> None:
    bench.mail("tea one", "coffee", "tea two", "tea three", "tea four")
    result = bench.run(ALL, TEA + ALL, "--examples", "2")
    lines = result.stdout.replace(f"{bench.folder}/", "").splitlines()
    assert lines == [
        "5 messages: 4 would change",
        "",
        "4 of 5 would move from INBOX to Lists, by new.conf:5",
        "  <0@x>  tea one",
        "    mail/00000.eml",
        "  <2@x>  tea two",
        "    mail/00002.eml",
    ]
    assert result.exit_code == 1


def test_nothing_changes_is_0(bench: Bench) -> None:
    bench.mail("tea", "coffee")
    result = bench.run(TEA + ALL, "# the same, on other lines\n\n" + TEA + ALL)
    assert (result.stdout, result.exit_code) == ("2 messages: nothing would change\n", 0)


def test_what_may_lose_mail_comes_first_and_is_marked_however_few_there_are(bench: Bench) -> None:
    bench.mail("tea", "tea", "tea", "spam", "other", "other", "broken")
    rules = 'match "^Subject: spam" in headers action drop\n' + TEA
    rules += 'match "^Subject: broken" in headers action "nosuch"\nmatch "^Subject: [^o]" in headers action "inbox"\n'
    assert bench.texts(ALL, rules) == [
        ("lost", 2, "would be left by all rules, instead of going to INBOX by old.conf:5"),
        ("dropped", 1, "would be dropped, by new.conf:5, instead of going to INBOX"),
        ("fails", 1, "would fail at new.conf:7, instead of going to INBOX"),
        ("moved", 3, "would move from INBOX to Lists, by new.conf:6"),
    ]
    text = bench.run(ALL, rules).stdout
    assert text.startswith("7 messages: 7 would change, 4 of them may be lost\n\nLOST 2 of 7 would be left")
    assert "\nDROPPED 1 of 7 would be" in text
    assert "\nFAILS 1 of 7 would" in text


def test_a_copy_that_stays_is_no_excuse_for_a_new_drop(bench: Bench) -> None:
    bench.mail("tea", "other")
    copy = 'match all action "lists" continue\n'
    drop = copy + 'match "^Subject: tea" in headers action drop\n'
    assert bench.texts(copy + ALL, drop) == [
        ("dropped", 1, "would be dropped, by new.conf:6, instead of going to INBOX (but still to Lists)"),
        ("lost", 1, "would be left by all rules, instead of going to INBOX by old.conf:6 (but still to Lists)"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        (ALL, 'match all action { "inbox" "lists" }\n', "moved", "would also go to Lists, by new.conf:5"),
        (
            ALL,
            'match all action "inbox" continue\n' + ALL,
            "moved",
            "would also go again to INBOX, by new.conf:5 and new.conf:6",
        ),
        (
            'match all action "lists" continue\n' + ALL,
            ALL,
            "moved",
            "would no longer go to Lists (but still to INBOX), by old.conf:5",
        ),
        (
            'match all action { "lists" "inbox" }\n',
            ALL,
            "moved",
            "would no longer go to Lists (but still to INBOX), by new.conf:5",
        ),
        ("match all action drop\n", ALL, "delivered", "would go to INBOX, by new.conf:5, instead of being dropped"),
        ("", ALL, "delivered", "would go to INBOX, by new.conf:5, instead of being left by all rules"),
        (ALL, "match all action keep\n", "kept", "would be kept, by new.conf:5, instead of going to INBOX"),
        (ALL, "set unmatched-mail drop\n", "dropped", "would be dropped, by unmatched-mail, instead of going to INBOX"),
        (
            ALL,
            'match all action add-header "X-A" value "1" continue\n' + ALL,
            "content",
            "would lie in the same place with another content, by new.conf:5: adds X-A",
        ),
        (
            ALL,
            'match all action remove-header "Message-ID" continue\n' + TEA + ALL,
            "moved",
            "would move from INBOX to Lists, by new.conf:6; removes Message-ID",
        ),
        (
            'match all action rewrite "one" continue\n' + ALL,
            'match all action rewrite "two" continue\n' + ALL,
            "content",
            "would lie in the same place with another content, by new.conf:5: another `rewrite`, which is not run here",
        ),
        (ALL, 'match all action exec "echo" continue\n' + ALL, "besides", "would also do exec, by new.conf:5"),
        ('match all action exec "echo" continue\n' + ALL, ALL, "besides", "would no longer do exec, by old.conf:5"),
    ],
)  # fmt: skip
def test_every_kind_of_change_has_its_sentence(bench: Bench, old: str, new: str, kind: str, text: str) -> None:
    bench.mail("tea")
    assert bench.texts(old or "set no-received match not all action drop\n", new + "match not all action drop\n") == [
        (kind, 1, text)
    ]


def test_users_are_named_where_there_are_several(bench: Bench) -> None:
    bench.mail("tea")
    you = 'match all action pipe "/usr/libexec/dovecot/deliver -d you@example.org"\n'
    assert bench.texts(ALL, you) == [
        ("moved", 1, "would move from INBOX of me@example.org to INBOX of you@example.org, by new.conf:5")
    ]


def test_what_is_not_run_counts_as_a_change_until_it_is_assumed(bench: Bench) -> None:
    bench.mail("tea")
    asks = 'match exec "is-it-so" returns (0, ) action "lists"\n'
    (kind, count, text) = bench.texts(ALL, asks + ALL)[0]
    assert (kind, count) == ("unknown", 1)
    assert "new.conf:5 (see --assume)" in text
    assert bench.texts(ALL, asks + ALL, "--assume", "is-it-so -> 1") == []
    moved = bench.texts(ALL, asks + ALL, "--assume", "is-it-so -> 0")
    assert moved == [("moved", 1, "would move from INBOX to Lists, by new.conf:5")]


def test_what_neither_side_knows_is_the_same_where_the_rules_are(bench: Bench) -> None:
    bench.mail("tea")
    asks = 'match exec "is-it-so" returns (0, ) action "lists"\n'
    assert bench.texts(asks + ALL, "# a comment\n" + asks + ALL) == []
    assert [kind for kind, _, _ in bench.texts(asks + ALL, asks)] == ["unknown"]


def test_no_command_is_run(bench: Bench) -> None:
    bench.mail("tea")
    mark = bench.folder / "mark"
    run = f"touch {mark}"
    rules = (
        f'match exec "{run}" returns (0, ) action pipe "{run}"\nmatch all actions {{ rewrite "{run}" exec "{run}" }}\n'
    )
    bench.run(rules, ALL, "--assume", "nothing -> 0")
    bench.run(f'match all action pipe "{run}"\n', f'match all actions {{ exec "{run}" pipe "{run}" }}\n')
    assert not mark.exists()


def test_the_rules_of_both_sides_are_counted(bench: Bench) -> None:
    bench.mail("tea", "tea", "coffee")
    never = 'match "^Subject: never" in headers action "lists"\n'
    result = bench.run(ALL, TEA + never + ALL, "--rules", "--examples", "0")
    lines = result.stdout.replace(f"{bench.folder}/", "").splitlines()
    assert [line.split() for line in lines[lines.index("NEW new.conf:") :]] == [
        ["NEW", "new.conf:"],
        ["took", "tried", "stored", "place"],
        ["2", "3", "2", "new.conf:5"],
        ["1", "1", "1", "new.conf:7"],
        ["took", "nothing:", "new.conf:6"],
    ]
    rules = bench.found(ALL, TEA + never + ALL)["rules"]
    assert [(rule["line"], rule["tried"], rule["matched"]) for rule in rules["new"]] == [
        (5, 3, 2),
        (6, 1, 0),
        (7, 1, 1),
    ]
    assert [(rule["line"], rule["tried"], rule["matched"]) for rule in rules["old"]] == [(5, 3, 3)]


def test_folders_named_by_the_mail_do_not_make_a_group_each(bench: Bench) -> None:
    bench.mail(*(f"[list{number}] x" for number in range(60)))
    named = f'match "^Subject: .([a-z0-9]+)" in headers action pipe "{DELIVER} -m %1"\n'
    groups = bench.texts(ALL, named)
    assert len(groups) == 26
    assert groups[0] == ("moved", 35, "would move from various places to various places, by new.conf:5")


def test_the_counts_are_those_of_two_dry_runs(bench: Bench) -> None:
    draw = random.Random(4)
    words = ["tea", "coffee", "spam", "offer", "list", "broken"]
    bench.mail(*(" ".join(draw.choices(words, k=2)) for _ in range(300)))

    def rules() -> str:
        actions, ends = ["inbox", "lists", "drop", "keep"], ["", "", " continue"]
        lines = [
            f'match "^Subject:.*{draw.choice(words)}" in headers action {draw.choice(actions)}{draw.choice(ends)}\n'
            for _ in range(5)
        ]
        text = "".join(lines)
        return text.replace("action inbox", 'action "inbox"').replace("action lists", 'action "lists"')

    for _ in range(4):
        old, new = rules(), rules()
        found = bench.found(old, new)
        runs = [_dry_run(bench, name) for name in ("old.conf", "new.conf")]
        before, after = ([_ends(each) for each in run[:-1]] for run in runs)
        assert found["changed"] == sum(mine != its for mine, its in zip(before, after, strict=True)) > 0
        assert found["changed"] == sum(group["count"] for group in found["groups"])
        for side, run in zip(("old", "new"), runs, strict=True):
            assert found["rules"][side] == run[-1]["summary"]["rules"]
            assert found["outcomes"][side] == run[-1]["summary"]["outcomes"]


def _dry_run(bench: Bench, name: str) -> list[dict[str, Any]]:
    words = ["dry-run", "-f", str(bench.folder / name), "--format", "json", str(bench.folder / "mail")]
    return [json.loads(line) for line in CliRunner().invoke(rulesmith, words).stdout.splitlines()]


def _ends(report: dict[str, Any]) -> tuple[str, str, list[str]]:
    places = sorted(each["mailbox"] for each in report["deliveries"] if each["stores"])
    return report["outcome"], report["reason"] if report["outcome"] == "kept" else "", places


def test_a_folder_of_an_imap_server_is_a_source_too(bench: Bench) -> None:
    bench.mail("coffee")
    (bench.folder / "password").write_text(PASSWORD + "\n")
    with imap_server([b"Subject: tea\r\n\r\nx\r\n", b"Subject: other\r\n\r\nx\r\n"]) as asked:
        words = ("--imap", f"imap://me@127.0.0.1:{asked.port}/INBOX", "--password-file", str(bench.folder / "password"))
        found = bench.found(ALL, TEA + ALL, *words)
    assert (found["messages"], found["changed"]) == (3, 1)
    assert found["groups"][0]["examples"][0]["name"] == "INBOX#11"
    assert [each for each in asked if "SELECT" in each.upper() or "STORE" in each.upper()] == []


@pytest.mark.parametrize(
    "words", [[], ["--mail", "nosuch"], ["--mail", ".", "--jobs", "0"], ["--mail", ".", "--nosuch"]]
)
def test_a_wrong_command_line_is_2(bench: Bench, words: list[str]) -> None:
    names = [bench.conf(name, ALL) for name in ("old.conf", "new.conf")]
    result = CliRunner().invoke(rulesmith, ["diff", *names, *words])
    assert result.exit_code == 2
    assert "Error" in result.output


@pytest.mark.parametrize("faulty", ["old.conf", "new.conf"])
def test_a_faulty_configuration_is_2_with_its_place(bench: Bench, faulty: str) -> None:
    rules = {name: "match all actoin drop\n" if name == faulty else ALL for name in ("old.conf", "new.conf")}
    result = bench.run(rules["old.conf"], rules["new.conf"])
    assert result.exit_code == 2
    assert f"{faulty}:5:11" in result.output


def test_a_report_that_cannot_be_written_is_2(bench: Bench) -> None:
    bench.mail("tea")
    result = bench.run(ALL, ALL, "--html", str(bench.folder / "nosuch" / "report.html"))
    assert result.exit_code == 2
    assert "nosuch/report.html" in result.output


def test_a_process_that_dies_is_2_and_never_no_change(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.mail("tea")
    monkeypatch.setattr(Comparison, "of", _die)
    result = bench.run(ALL, ALL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "killed" in result.stderr


def _die(*_: object) -> None:
    raise BrokenProcessPool


def test_ctrl_c_at_the_question_for_the_password_is_no_change(bench: Bench) -> None:
    names = [bench.conf(name, ALL) for name in ("old.conf", "new.conf")]
    result = CliRunner().invoke(rulesmith, ["diff", *names, "--imap", "imaps://me@127.0.0.1/INBOX"], input="")
    assert result.exit_code == 130
    assert "interrupted after 0 messages" in result.output


def test_old_may_be_a_pipe(bench: Bench) -> None:
    bench.mail("tea")
    reads, writes = os.pipe()
    with open(writes, "w", encoding="utf-8") as file:
        file.write(START + ALL)
    try:
        words = ["diff", f"/dev/fd/{reads}", bench.conf("new.conf", TEA + ALL), "--mail", str(bench.folder / "mail")]
        result = CliRunner().invoke(rulesmith, words)
    finally:
        os.close(reads)
    assert "1 of 1 would move from INBOX to Lists" in result.stdout


def test_an_empty_folder_changes_nothing(bench: Bench) -> None:
    result = bench.run(ALL, TEA)
    assert (result.stdout, result.exit_code) == ("0 messages: nothing would change\n", 0)
