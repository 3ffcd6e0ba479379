"""`rulesmith explain`: a dry run of one message, with the whole trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith

CONF = 'account "stdin" stdin\nmatch "^Subject: a" in headers action mbox "/m/a"\nmatch all action keep\n'
MAIL = "Subject: {}\n\nbody\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf").write_text(CONF)
    (tmp_path / "mails").mkdir()
    for name in "ab":
        (tmp_path / "mails" / f"{name}.eml").write_text(MAIL.format(name))
    return tmp_path


def _run(folder: Path, *words: str, stdin: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(rulesmith, [*words[:1], "-f", str(folder / "conf"), *words[1:]], input=stdin)
    return done.exit_code, done.output


@pytest.mark.parametrize(("name", "status"), [("a", 0), ("b", 1)])
@pytest.mark.parametrize("form", ["text", "json"])
def test_it_says_of_a_message_what_a_dry_run_says(folder: Path, name: str, status: int, form: str) -> None:
    words = ("--format", form, str(folder / "mails" / f"{name}.eml"))
    explained = _run(folder, "explain", *words)
    assert explained == _run(folder, "dry-run", *words)
    assert explained[0] == status
    assert "rule 0" in explained[1] or '"rule": 0' in explained[1]


def test_a_message_may_come_from_standard_input(folder: Path) -> None:
    status, text = _run(folder, "explain", "-", stdin=MAIL.format("a"))
    assert status == 0
    assert 'match, decided by regexp "^Subject: a" in headers' in text


def test_it_is_for_one_message(folder: Path) -> None:
    assert _run(folder, "explain")[0] == 2
    assert _run(folder, "explain", "a", "b")[0] == 2
    assert "No such option '--imap'" in _run(folder, "explain", "--imap", "imaps://x", "a")[1]
    # Of a folder each message is told at length, too.
    _, text = _run(folder, "explain", str(folder / "mails"))
    assert text.count("rule 0 (") == 2
