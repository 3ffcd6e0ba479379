"""`rulesmith check` beyond reporting: choosing checks, fixing, explaining, the formats of other programs, --online."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import machine_view, rulesmith
from rulesmith.lint.pages import known
from rulesmith.lint.table import GROUPS, NAMES, ONLINE

ROOT = Path(__file__).parents[2]
HEAD = 'set allow-multiple\nset no-received\nset default-user "root"\naccount "stdin" stdin\n'
CLEAN = HEAD + 'match all action maildir "~/Mail"\n'
FIXABLE = HEAD + (
    'match "^Subject:.*\\[list\\]" action maildir "~/Mail/list"\n'
    'match "From:.*bob@example.org" in headers action maildir "~/Mail/bob"\n'
    'match all action maildir "~/Mail"\n'
)
FIXED = HEAD + (
    'match "^Subject:.*\\\\[list\\\\]" in headers action maildir "~/Mail/list"\n'
    'match "^From:.*bob@example\\\\.org" in headers action maildir "~/Mail/bob"\n'
    'match all action maildir "~/Mail"\n'
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(rulesmith, ["check", *map(str, arguments)])


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "fdm.conf"
    path.write_text(FIXABLE)
    path.chmod(0o640)
    return path


def names(result: Result) -> set[str]:
    return set(re.findall(r"\[([a-z-]+)\]:", result.stdout))


# Choosing.


def test_select_makes_only_these_checks_and_ignore_takes_some_away(conf: Path) -> None:
    everything = names(run("--format", "short", conf))
    assert {"eaten-backslash", "header-without-area", "missing-anchor", "unescaped-dot"} <= everything
    assert names(run("--format", "short", "--select", "missing-anchor", conf)) == {"missing-anchor"}
    assert names(run("--format", "short", "--ignore", "missing-anchor,unescaped-dot", conf)) == everything - {
        "missing-anchor",
        "unescaped-dot",
    }
    assert names(run("--format", "short", "--select", "loses-mail", conf)) == set()


def test_a_wrong_name_is_a_wrong_command_line_and_a_near_one_is_named(conf: Path) -> None:
    result = run("--select", "missing-ancor", conf)
    assert result.exit_code == 2
    assert 'did you mean "missing-anchor"?' in result.output


def test_an_allowance_for_a_check_that_is_not_made_is_not_called_unused(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(CLEAN + "# rulesmith: allow(slow-regexp) it is only mine\n")
    path.chmod(0o600)
    assert names(run("--format", "short", path)) == {"unused-allow"}
    assert names(run("--format", "short", "--ignore", "slow-regexp", path)) == set()


def test_what_the_compiler_finds_can_be_ignored_where_it_does_not_refuse(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(HEAD + 'match "^X-A: b" in headers action "nosuch"\nmatch all action maildir "~/Mail"\n')
    path.chmod(0o600)
    assert names(run("--format", "short", path)) == {"unknown-action"}
    assert names(run("--format", "short", "--ignore", "unknown-action", path)) == set()


def test_an_allowance_with_a_wrong_name_says_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(CLEAN + "# rulesmith: allow(slow-regex)\n")
    path.chmod(0o600)
    result = run(path)
    assert "no finding is called slow-regex" in result.stdout
    assert 'did you mean "slow-regexp"?' in result.stdout


def test_what_refuses_is_always_told(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text(CLEAN + "set timeout 0\n")
    path.chmod(0o600)
    result = run("--format", "short", "--select", "missing-anchor", path)
    assert names(result) == {"setting-out-of-range"}
    assert result.exit_code == 1


# Fixing.


def test_fix_changes_the_file_at_once_and_keeps_mode_and_owner(conf: Path) -> None:
    if os.geteuid() == 0:
        os.chown(conf, 12345, 23456)
    before = conf.stat()
    result = run("--fix", "--format", "short", conf)
    assert (result.exit_code, names(result)) == (0, set())
    assert conf.read_text() == FIXED
    after = conf.stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, before.st_uid, before.st_gid)
    assert os.listdir(conf.parent) == [conf.name]


def test_a_second_fix_changes_nothing(conf: Path) -> None:
    run("--fix", conf)
    before = conf.stat()
    result = run("--fix", conf)
    assert "put right" not in result.output
    assert conf.stat() == before


def test_a_symbolic_link_stays_one(conf: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(conf)
    run("--fix", link)
    assert link.is_symlink()
    assert conf.read_text() == FIXED


def test_diff_shows_what_fix_would_do_and_patch_can_do_it(conf: Path) -> None:
    result = run("--diff", conf)
    assert result.exit_code == 1
    assert conf.read_text() == FIXABLE
    subprocess.run(["patch", "-s", str(conf)], input=result.stdout, text=True, check=True, capture_output=True)
    assert conf.read_text() == FIXED
    again = run("--diff", conf)
    assert (again.exit_code, again.stdout) == (0, "")


def test_an_included_file_is_fixed_too(tmp_path: Path) -> None:
    inner, outer = tmp_path / "rules.conf", tmp_path / "main.conf"
    inner.write_text('match "From:.*bob@" in headers action maildir "~/Mail/bob"\n')
    outer.write_text(HEAD + f'include "{inner}"\nmatch all action maildir "~/Mail"\n')
    for path in (inner, outer):
        path.chmod(0o600)
    before = outer.read_text()
    assert names(run("--fix", "--format", "short", outer)) == set()
    assert inner.read_text() == 'match "^From:.*bob@" in headers action maildir "~/Mail/bob"\n'
    assert outer.read_text() == before


def test_a_file_that_cannot_be_written_is_told_and_left(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(conf))

    monkeypatch.setattr(os, "replace", full)
    result = run("--fix", conf)
    assert result.exit_code == 2
    assert "No space left on device" in result.output
    assert conf.read_text() == FIXABLE
    assert os.listdir(conf.parent) == [conf.name]


def test_octets_that_are_no_text_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_bytes(
        CLEAN.replace("match all", 'match "From: b" in headers action drop # \xff\r\nmatch all').encode("latin-1")
    )
    path.chmod(0o600)
    before = path.read_bytes()
    run("--fix", "--select", "missing-anchor", path)
    assert path.read_bytes() in (before, before.replace(b'"From', b'"^From'))
    assert b"\xff" in path.read_bytes()


# Pages.


def test_explain_prints_the_page(tmp_path: Path) -> None:
    result = run("--explain", "missing-anchor")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "missing-anchor (warning; means-something-else)\n\nThe name of a header field without"
    )
    assert "Use instead: `^From:`" in result.stdout
    assert "only with --online" in run("--explain", "missing-program").stdout
    wrong = run("--explain", "missing-ancor")
    assert wrong.exit_code == 2
    assert 'did you mean "missing-anchor"?' in wrong.output


def test_everything_that_can_be_found_has_a_page() -> None:
    """Also what the compiler finds: its names are read off its source."""
    found = set()
    for part in ("compiler", "syntax", "conditions", "actions"):
        for path in (ROOT / "rulesmith" / part).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"(?:error|Diagnostic|_find)\(\s*\"([a-z]+(?:-[a-z]+)+)\"", text))
    assert len(found) > 20
    assert not found - set(known())


# Formats of other programs.


def test_sarif_has_what_the_standard_wants(conf: Path) -> None:
    log = json.loads(run("--format", "sarif", conf).stdout)
    assert (log["version"], log["$schema"].endswith("sarif-schema-2.1.0.json")) == ("2.1.0", True)
    (scan,) = log["runs"]
    driver = scan["tool"]["driver"]
    assert driver["name"] == "rulesmith"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids))
    assert len(scan["results"]) == 4
    for result in scan["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"] <= FIXABLE.count("\n") + 1
        assert region["startColumn"] >= 1
        assert location["physicalLocation"]["artifactLocation"]["uri"] == str(conf)
    fixes = [fix for result in scan["results"] for fix in result.get("fixes", ())]
    assert fixes
    for fix in fixes:
        for change in fix["artifactChanges"]:
            for replacement in change["replacements"]:
                assert set(replacement) == {"deletedRegion", "insertedContent"}
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"].endswith(".")


def test_junit_has_a_suite_for_each_file_and_notes_do_not_fail(conf: Path, tmp_path: Path) -> None:
    clean = tmp_path / "clean.conf"
    clean.write_text(CLEAN)
    clean.chmod(0o600)
    root = ET.fromstring(run("--format", "junit", conf, clean).stdout)
    faulty, fine = root.findall("testsuite")
    assert (faulty.get("tests"), faulty.get("failures")) == ("4", "3")
    assert len(faulty.findall("testcase/failure")) == 3
    assert (fine.get("tests"), fine.get("failures")) == ("1", "0")


def test_github_commands_are_one_line_each_and_escaped(tmp_path: Path) -> None:
    path = tmp_path / "a,b.conf"
    path.write_text(HEAD + 'match "50%off" action drop\nmatch all action maildir "~/Mail"\n')
    path.chmod(0o600)
    lines = run("--format", "github", path).stdout.splitlines()
    (line,) = [line for line in lines if "percent-removed" in line]
    assert line.startswith(
        f"::warning file={str(path).replace(',', '%2C')},line=5,endLine=5,col=10,endColumn=12,title="
    )
    assert "'%25o' is removed" in line


def test_many_notes_that_say_the_same_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "conf"
    rules = "".join(f'match "^From:.*@a{n}.org" in headers action maildir "~/{n}"\n' for n in range(9))
    path.write_text(HEAD + rules + 'match all action maildir "~/Mail"\n')
    path.chmod(0o600)
    short = run(path)
    assert short.stdout.count("note[unescaped-dot]: this dot") == 3
    assert "6 more like this, in lines 8, 9, 10, 11, 12, 13" in short.stdout
    assert run("--all", path).stdout.count("note[unescaped-dot]: this dot") == 9


# This machine.


def test_online_looks_at_programs_folders_users_and_mailboxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doveadm = tmp_path / "doveadm"
    doveadm.write_text(
        '#!/bin/sh\ncase "$*" in\n*"-u nobdy"*) exit 67;;\n"mailbox status -u bob messages Junk") exit 68;;\n'
        "*broken*) exit 75;;\nesac\n"
    )
    doveadm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    machine_view._doveadm.cache_clear()
    deliver = tmp_path / "deliver"
    deliver.write_text("#!/bin/sh\n")
    deliver.chmod(0o755)
    path = tmp_path / "conf"
    path.write_text(
        HEAD + f'match "one" action pipe "/nosuch/deliver -d bob"\nmatch "two" action pipe "{deliver} -d nobdy"\n'
        f'match "three" action pipe "{deliver} -d bob -m Junk"\nmatch "four" action mbox "{tmp_path}/nosuch/box"\n'
        f'match "five" action pipe "{deliver} -d broken"\nmatch all action pipe "{deliver} -d bob -m Lists"\n'
    )
    path.chmod(0o600)
    told = run("--format", "short", "--online", path).stdout.splitlines()
    found = {(int(line.split(":")[1]), re.search(r"\[([a-z-]+)\]", line)[1]) for line in told}  # type: ignore[index]
    assert {each for each in found if each[1] in ONLINE} == {
        (5, "missing-program"),
        (6, "missing-mailbox"),
        (7, "missing-mailbox"),
        (8, "missing-folder"),
    }
    assert not names(run("--format", "short", path)) & set(ONLINE)


def test_without_doveadm_nothing_is_said_of_mailboxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    machine_view._doveadm.cache_clear()
    deliver = tmp_path / "deliver"
    deliver.write_text("#!/bin/sh\n")
    deliver.chmod(0o755)
    path = tmp_path / "conf"
    path.write_text(HEAD + f'match all action pipe "{deliver} -d nobdy"\n')
    path.chmod(0o600)
    assert not names(run("--format", "short", "--online", path)) & set(ONLINE)


def test_two_deliveries_are_named_where_no_journal_can_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    path = tmp_path / "conf"
    rules = HEAD + f'match all action {{ maildir "{tmp_path}/one" maildir "{tmp_path}/two" }}\n'
    for journal, expected in ((f"{blocked}/journal", {"repeated-delivery"}), (f"{tmp_path}/journal", set())):
        path.write_text(f'set journal "{journal}"\n{rules}')
        path.chmod(0o600)
        assert names(run("--format", "short", "--online", path)) & set(ONLINE) == expected


@pytest.mark.parametrize("in_site", [False, True])
@pytest.mark.parametrize(
    ("lmtp", "detail", "expected"),
    [
        ("a = b", r"+\nyes\n", set()),
        ("a = b\nmail_plugins = sieve", r"+\nyes\n", {"warning"}),
        ("a = b\nmail_plugins = sieve", r"\nno\n", {"warning", "error"}),
    ],
)
def test_online_asks_dovecot_whether_its_two_ways_are_one(
    lmtp: str, detail: str, expected: set[str], in_site: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "protocol=lda").write_text("a = b\n")
    (tmp_path / "protocol=lmtp").write_text(lmtp + "\n")
    doveconf = tmp_path / "doveconf"
    doveconf.write_text(f'#!/bin/sh\n[ "$1" = -h ] && exec printf "{detail}"\ncat "{tmp_path}/$3"\n')
    doveconf.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path, site = tmp_path / "conf", tmp_path / "site"
    ours = f'set dovecot "{tmp_path}/lmtp"\nset dovecot-folders\n'
    path.write_text(("" if in_site else ours) + HEAD + 'match all action pipe "/usr/libexec/dovecot/deliver -d bob"\n')
    site.write_text(ours if in_site else "")
    for file in (path, site):
        file.chmod(0o600)
    monkeypatch.setenv("RULESMITH_CONF", str(site))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "lmtp"))
        told = run("--format", "short", "--online", path).stdout.splitlines()
    found = [line for line in told if "[dovecot-disagrees]" in line]
    assert {line.split(": ")[1].partition("[")[0] for line in found} == expected
    if in_site:
        assert all(line.split(":")[1] == "5" for line in found)
    (tmp_path / "lmtp").unlink()
    assert "there is no socket" in run("--format", "short", "--online", path).stdout


# The hooks of pre-commit.


def test_the_hooks_call_what_there_is_for_the_files_that_there_are(conf: Path) -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^  entry: rulesmith (.*)$", text, re.MULTILINE)
    assert len(entries) == 4
    Path(f"{conf}.tests.toml").write_text('[[test]]\nname = "t"\noutcome = "delivered"\n')
    for entry in entries:
        name = f"{conf}.tests.toml" if entry == "test" else str(conf)
        result = CliRunner().invoke(rulesmith, [*entry.split(), name])
        assert result.exit_code in (0, 1), result.output
    *patterns, tests = re.findall(r"^  files: (.*)$", text, re.MULTILINE)
    assert re.search(tests, "users/bob/fdm.conf.tests.toml")
    for pattern in patterns:
        assert all(
            re.search(pattern, path) for path in (".fdm.conf", "fdm.conf", "users/bob/fdm.conf", "fdm-work.conf")
        )
        assert not re.search(pattern, "fdm.conf.bak")


def test_groups_are_not_also_names_of_checks() -> None:
    assert not set(GROUPS) & {*NAMES, *ONLINE}
