"""`rulesmith serve` on the command line: what it refuses, and what the server is told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli.serve import serve


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The settings of each server that would have been started."""
    found: list[dict[str, object]] = []
    monkeypatch.setattr(os, "execv", lambda _, argv: found.append(json.loads(argv[-1])))
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--users", "."], "Missing option '--lmtp'"),
        (["--lmtp", "s"], "whose rules?"),
        (["--lmtp", "s", "--users", ".", "--recipients", "."], "the same in two ways"),
        (["--lmtp", "s", "--recipients", "nowhere"], "does not exist"),
        (["--lmtp", "s", "--users", "nowhere"], "does not exist"),
        (["--lmtp", "s", "-f", "c", "--", "-n"], "mean nothing for a server"),
        (["--lmtp", "s", "-f", "c", "--", "-f", "x"], "mean nothing for a server"),
        (["--lmtp", "s", "-f", "c", "--", "-Z"], "invalid option -- 'Z'"),
        (["--lmtp", "s", "-f", "c", "--", "poll"], "mean nothing for a server"),
        (["--lmtp", "s", "-f", "c", "--", "cache", "list"], "mean nothing for a server"),
        (["--lmtp", "s", "-f", "c", "--mode", "9"], "not an octal number"),
        (["--lmtp", "s", "-f", "c", "--workers", "0"], "Invalid value for '--workers'"),
    ],
)
def test_what_it_refuses(words: list[str], said: str, told: list[dict[str, object]]) -> None:
    done = CliRunner().invoke(serve, words)
    assert (done.exit_code, told) == (2, [])
    assert said in done.output


def test_what_the_server_is_told(tmp_path: Path, told: list[dict[str, object]]) -> None:
    words = [
        "--lmtp",
        str(tmp_path / "s"),
        "--users",
        str(tmp_path),
        "--workers",
        "3",
        "--mode",
        "660",
        "--delimiter",
        "",
    ]
    assert CliRunner().invoke(serve, words).exit_code == 0
    [settings] = told
    assert (settings["users"], settings["config"], settings["delimiter"]) == (str(tmp_path), "fdm.conf", "")
    assert (settings["workers"], settings["mode"], settings["words"]) == (3, 0o660, ["-a", "stdin"])


def test_an_account_that_is_named_is_the_only_one(tmp_path: Path, told: list[dict[str, object]]) -> None:
    words = ["--lmtp", "s", "-f", str(tmp_path / "c"), "--", "-v", "-a", "mail"]
    assert CliRunner().invoke(serve, words).exit_code == 0
    assert told[0]["words"] == ["-v", "-a", "mail"]
    assert told[0]["config"] == str(tmp_path / "c")


@pytest.mark.parametrize(
    ("answer", "folders"),
    [("+\nyes\n", True), ("+\nno\n", False), ("=\nyes\n", False), ("", False), (None, False)],
)
def test_dovecot_is_asked_whether_a_detail_is_a_folder(
    answer: str | None, folders: bool, told: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if answer is None:
            raise FileNotFoundError
        return subprocess.CompletedProcess(argv, 0, answer)

    monkeypatch.setattr(subprocess, "run", run)
    assert CliRunner().invoke(serve, ["--lmtp", "s", "-f", "c", "--dovecot", "d"]).exit_code == 0
    assert CliRunner().invoke(serve, ["--lmtp", "s", "-f", "c", "--dovecot", "d", "--folders"]).exit_code == 0
    assert [each["folders"] for each in told] == [folders, True]


@pytest.mark.parametrize(
    ("more", "used"),
    [("", True), ("log_path = /x", True), ("protocol lmtp {\n  a = c\n}", True), ("mail_plugins = sieve", False)],
)
def test_dovecots_server_is_used_only_where_it_does_the_same_as_deliver(
    more: str, used: bool, tmp_path: Path, told: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "protocol=lda").write_text("a = b\n")
    (tmp_path / "protocol=lmtp").write_text(f"a = b\n{more}\n".replace("\n\n", "\n"))
    doveconf = tmp_path / "doveconf"
    doveconf.write_text(f'#!/bin/sh\ncat "{tmp_path}/$3"\n')
    doveconf.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = CliRunner().invoke(serve, ["--lmtp", "s", "-f", "c", "--dovecot", "/d", "--folders"])
    assert [each["dovecot"] for each in told] == ["/d" if used else ""]
    assert ("settings for protocol lda and protocol lmtp differ" in done.output) != used


@pytest.mark.parametrize(("delimiter", "used"), [("+", True), ("", True), ("-", False), ("+.", False), ("+-", False)])
def test_where_a_part_of_a_name_is_a_detail_deliver_is_a_command(
    delimiter: str, used: bool, tmp_path: Path, told: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By LMTP what is for user-b would go to user."""
    doveconf = tmp_path / "doveconf"
    doveconf.write_text(f"#!/bin/sh\necho '{delimiter}'\n")
    doveconf.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = CliRunner().invoke(serve, ["--lmtp", "s", "-f", "c", "--dovecot", "/d", "--folders"])
    assert [each["dovecot"] for each in told] == ["/d" if used else ""]
    assert ("sign that may stand in the name of a user" in done.output) != used


@pytest.mark.parametrize(("words", "dovecot"), [([], None), (["--dovecot", ""], "")])
def test_without_a_socket_the_configuration_decides_and_with_an_empty_one_nothing_goes_there(
    words: list[str], dovecot: str | None, told: list[dict[str, object]]
) -> None:
    assert CliRunner().invoke(serve, ["--lmtp", "s", "-f", "c", *words]).exit_code == 0
    assert [(each["dovecot"], each["folders"]) for each in told] == [(dovecot, False)]
