"""`rulesmith fmt`: files are laid out, or only looked at, and never harmed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith
from rulesmith.syntax import table

UGLY = "match   all action drop # Ärger\n"
FINE = "match all action drop  # Ärger\n"


def run(*words: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(rulesmith, ["fmt", *words], input=text)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "fdm.conf"
    path.write_bytes(UGLY.encode("latin-1"))  # as old files are
    path.chmod(0o600)
    return path


def test_a_file_is_laid_out_and_keeps_its_mode_and_its_octets(conf: Path) -> None:
    result = run(str(conf))
    assert (result.exit_code, result.output) == (0, "")
    assert conf.read_bytes() == FINE.encode("latin-1")
    assert conf.stat().st_mode & 0o777 == 0o600
    inode = conf.stat().st_ino
    assert run(str(conf)).exit_code == 0
    assert conf.stat().st_ino == inode  # not written again


def test_check_names_the_file_and_changes_nothing(conf: Path) -> None:
    result = run("--check", str(conf))
    assert (result.exit_code, result.output) == (1, f"{conf}\n")
    assert conf.read_bytes() == UGLY.encode("latin-1")
    run(str(conf))
    assert run("--check", str(conf)).exit_code == 0


def test_diff_shows_the_change_and_makes_none(conf: Path) -> None:
    result = run("--diff", str(conf))
    assert result.exit_code == 1
    assert b"\n-match   all action drop # \xc4rger\n+match all action drop  # \xc4rger\n" in result.stdout_bytes
    assert conf.read_bytes() == UGLY.encode("latin-1")


def test_standard_input_goes_to_standard_output() -> None:
    assert run("-", text=UGLY).output == FINE


@pytest.mark.parametrize("text", ["match all actoin drop\n", "match all drop\n", 'match "x\n', "match all {\n"])
def test_a_faulty_file_is_left_alone(conf: Path, text: str) -> None:
    conf.write_text(text)
    result = run(str(conf))
    assert result.exit_code == 2
    assert "fdm.conf:" in result.output
    assert "nothing is changed" in result.output
    assert conf.read_text() == text


def test_a_file_that_is_only_included_needs_no_macros(conf: Path) -> None:
    conf.write_text("match   $somewhere action  $else\n")
    assert run(str(conf)).exit_code == 0
    assert conf.read_text() == "match $somewhere action $else\n"


def test_one_faulty_file_does_not_keep_others_from_being_laid_out(conf: Path, tmp_path: Path) -> None:
    assert run(str(tmp_path / "nosuch"), str(conf)).exit_code == 2
    assert conf.read_bytes() == FINE.encode("latin-1")


def test_a_grammar_that_is_gone_is_named(conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "FOLDER", str(tmp_path))
    monkeypatch.setattr(table, "_loaded", [])
    result = run(str(conf))
    assert (result.exit_code, result.output) == (2, f"{tmp_path}/fdm.lark: No such file or directory\n")
    assert conf.read_bytes() == UGLY.encode("latin-1")
