"""`rulesmith check`: formats and exit statuses; what is found is tested beside the rules that find it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith

PLACE = ("path", "line", "column", "end_line", "end_column")
CLEAN = 'set allow-multiple\nset default-user "root"\naccount "stdin" stdin\nmatch all action maildir "~/Mail"\n'
FAULTY = CLEAN + 'match "a" in headres action drop\nmatch "ü(" action drop\n'
WARNED = 'set allow-multiple\nset default-user "root"\naccount "stdin" stdin\nmatch "a" action maildir "~/Mail"\n'


@pytest.fixture
def check(tmp_path: Path) -> object:
    def run(*options: str, **files: str) -> Result:
        names = []
        for name, text in files.items():
            path = tmp_path / f"{name}.conf"
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
            names.append(str(path))
        return CliRunner().invoke(rulesmith, ["check", *options, *names])

    return run


def test_a_clean_file_is_quiet(check) -> None:  # type: ignore[no-untyped-def]
    result = check(a=CLEAN)
    assert (result.exit_code, result.stdout) == (0, "")


def test_every_fault_is_reported_in_one_run(check) -> None:  # type: ignore[no-untyped-def]
    result = check("--format", "short", a=FAULTY)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line.split(": ", 2)[1] for line in lines if "error" in line] == [
        "error[unknown-word]",
        "error[invalid-regexp]",
    ]
    assert "a.conf:5:14: error[unknown-word]" in lines[0]


def test_json_is_one_object_a_line_with_the_columns_of_characters(check) -> None:  # type: ignore[no-untyped-def]
    result = check("--format", "json", a=FAULTY)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(set(each) == {*PLACE, "severity", "name", "message", "help", "notes", "also", "fix"} for each in found)
    regexp = next(each for each in found if each["name"] == "invalid-regexp")
    assert (regexp["line"], regexp["severity"]) == (6, "error")
    assert 7 < regexp["column"] <= regexp["end_column"] <= 11


def test_text_shows_the_line_the_carets_and_what_to_type(check) -> None:  # type: ignore[no-untyped-def]
    result = check(a=FAULTY)
    assert 'match "a" in headres action drop' in result.stdout
    assert "^^^^^^^" in result.stdout
    assert 'did you mean "headers"?' in result.stdout


def test_warnings_are_errors_only_when_strict(check) -> None:  # type: ignore[no-untyped-def]
    assert check("--format", "short", a=WARNED).exit_code == 0
    result = check("--strict", "--format", "short", a=WARNED)
    assert result.exit_code == 1
    assert "warning[" in result.stdout


def test_several_files_are_checked_and_the_worst_decides(check) -> None:  # type: ignore[no-untyped-def]
    result = check("--format", "short", a=CLEAN, b=FAULTY)
    assert result.exit_code == 1
    assert "b.conf" in result.stdout


def test_a_file_that_cannot_be_read_is_2(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert check(str(tmp_path / "nosuch"), a=CLEAN).exit_code == 2


def test_no_command_is_run_unless_asked_for(check, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mark = tmp_path / "mark"
    text = CLEAN + f"$x = $(touch {mark}; echo y)\n"
    assert check(a=text).exit_code == 0
    assert not mark.exists()
    check("--run-commands", a=text)
    assert mark.exists()


def test_what_a_command_gives_is_unknown_and_no_fault(check) -> None:  # type: ignore[no-untyped-def]
    text = CLEAN + '$name = $(echo in)\naction $name drop\nmatch "x" action "in"\nset maximum-size %(echo 5)\n'
    assert check("--format", "short", a=text).exit_code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(shell: str) -> None:
    result = CliRunner().invoke(rulesmith, ["completion", shell])
    assert result.exit_code == 0
    assert "_RULESMITH_COMPLETE" in result.output


def test_the_version_is_told() -> None:
    from rulesmith import __version__

    assert CliRunner().invoke(rulesmith, ["--version"]).output == f"rulesmith, version {__version__}\n"
