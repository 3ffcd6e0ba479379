"""`rulesmith learn` for a whole folder, and the counts of the classifier."""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import learn_folder, rulesmith
from rulesmith.scan import cold
from rulesmith.scan.no_verdict import NoVerdict
from tests.parts import needed, spam_programs
from tests.scan.rspamd import Rspamd


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    made = needed(Rspamd, Path(__file__).parents[1] / "scan" / "rules.lua")
    yield made
    made.close()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that are found first, and instead of the machine's own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    # Nobody is asked who is not meant.
    for name in ("redis-cli", "rspamadm", "doveadm"):
        _program(folder / name, "exit 1")
    return folder


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)


def _letter(words: int = 60) -> bytes:
    text = " ".join(f"word{uuid.uuid4().hex}" for _ in range(words))
    return f"From: a@example.com\nMessage-ID: <{uuid.uuid4()}@x>\nSubject: {text[:60]}\n\n{text}\n".encode()


def _maildir(path: Path, letters: list[bytes]) -> Path:
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(parents=True)
    (path / "tmp" / "half").write_bytes(_letter())
    for number, letter in enumerate(letters):
        (path / ("cur" if number % 2 else "new") / f"{number}.x:2,{'S' if number % 2 else ''}").write_bytes(letter)
    return path


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(rulesmith, ["learn", *map(str, words)])


def test_a_maildir_is_taught_whole_and_the_counts_are_shown(rspamd: Rspamd, tmp_path: Path, programs: Path) -> None:
    _program(programs / "rspamadm", """echo '{"bayes": {"min_learns": 20}}'""")
    _program(
        programs / "redis-cli",
        f"""LD_LIBRARY_PATH={rspamd.env["LD_LIBRARY_PATH"]} \\
        exec {spam_programs() or ""}/usr/bin/redis-cli -s {rspamd.folder}/redis "$@" """,
    )
    letters = [_letter() for _ in range(5)]
    maildir = _maildir(tmp_path / "m", [*letters, letters[0], _letter(1), b""])
    result = _run("spam", maildir, "--url", rspamd.controller)
    said = "5 learned as spam, 1 known as spam already, 1 with too few words, 1 gone or empty\n5/20 spam, 0/20 ham\n"
    assert (result.exit_code, sorted(result.stdout.split(", "))) == (0, sorted(said.split(", ")))
    assert "8 messages as spam" in result.stderr


@pytest.mark.parametrize(
    ("folder", "options", "kind"),
    [
        ("Junk", [], "spam"),
        ("spam", [], "spam"),
        ("Junk.2024", [], "spam"),
        ("Junkyard", [], "ham"),
        ("INBOX", [], "ham"),
        ("Junk", ["--as", "ham"], "ham"),
        ("Trash", ["--as", "spam"], "spam"),
    ],
)
def test_a_folder_is_taught_as_what_its_name_says(
    folder: str, options: list[str], kind: str, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir = _maildir(tmp_path / "ä b", [_letter()])
    _program(programs / "doveadm", f'printf "%s|" "$@" >{programs}/asked; echo "{maildir}"')
    monkeypatch.setattr(cold, "Rspamd", Scripted)
    monkeypatch.setattr(learn_folder, "become", Scripted.taught.append)
    Scripted.taught.clear()
    result = _run("--mailbox", "me@x y", folder, *options)
    assert result.exit_code == 0, result.output
    assert (programs / "asked").read_text() == f"mailbox|path|-u|me@x y|--|{folder}|"
    assert Scripted.taught == ["vmail", f"{kind} for me@x y"]
    assert result.stdout == f"1 learned as {kind}\n7/200 spam, 9/200 ham\n"


def test_where_rspamd_stops_answering_it_is_said_how_far_it_came(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir = _maildir(tmp_path / "m", [_letter() for _ in range(4)])
    monkeypatch.setattr(cold, "Rspamd", Scripted)
    monkeypatch.setattr(Scripted, "most", 3)
    Scripted.taught.clear()
    result = _run("ham", maildir)
    assert (result.exit_code, result.stdout) == (75, "3 learned as ham\n7/200 spam, 9/200 ham\n")
    assert "stopped after 3 of 4 messages: unreachable: gone" in result.stderr


def test_what_is_refused_is_named(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maildir = _maildir(tmp_path / "m", [_letter(), b"refused\n"])
    monkeypatch.setattr(cold, "Rspamd", Scripted)
    result = _run("ham", maildir)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "1 learned as ham, 1 refused")
    assert f"{maildir}/cur/1.x:2,S: not learned: rspamd answers 400" in result.stderr


@pytest.mark.parametrize(
    ("words", "script", "said"),
    [
        (["--mailbox", "u", "Nope"], "echo /nonexistent", "u: Nope: there is no such folder (/nonexistent)"),
        (["--mailbox", "u", "Junk"], "echo no such user >&2; exit 67", "u: no such user"),
        (["--mailbox", "u", "Trash"], "exit 1", "Trash may hold either: say --as spam or --as ham"),
        (["--mailbox", "u", "Junk", "x"], "exit 1", "with --mailbox there is a FOLDER and nothing else"),
        (["spam", "/nonexistent"], "exit 1", "/nonexistent: No such file or directory"),
    ],
)
def test_what_cannot_be_taught_is_said(
    words: list[str], script: str, said: str, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(programs / "doveadm", script)
    monkeypatch.setattr(learn_folder, "become", Scripted.taught.append)
    result = _run(*words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr


def test_a_message_whose_marks_change_meanwhile_is_taught(tmp_path: Path) -> None:
    maildir = _maildir(tmp_path / "m", [b"a\n"])
    (path,) = learn_folder.messages(maildir)
    path.rename(maildir / "cur" / "0.x:2,FS")
    assert learn_folder._again(path) == b"a\n"


class Scripted:
    """A controller; `taught` is what it took."""

    taught: ClassVar[list[str]] = []
    most = 100

    def __init__(self, url: bytes, seconds: float, password: bytes) -> None:
        """Nobody is asked."""

    def learn(self, kind: str, raw: bytes, user: bytes) -> tuple[int, bytes]:
        if len(self.taught) >= self.most:
            raise NoVerdict("unreachable", "gone")
        if raw == b"refused\n":
            return 400, b""
        self.taught.append(f"{kind} for {user.decode()}")
        return 200, b'{"success":true}'

    def learned(self) -> dict[str, int]:
        return {"BAYES_SPAM": 7, "BAYES_HAM": 9}

    def close(self) -> None:
        """Nothing is open."""
