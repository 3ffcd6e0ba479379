"""Where the output takes no more: a full disk, a reader that has left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RULES = 'set no-received\naccount "stdin" stdin\nmatch all action maildir "{folder}/box"\n'
TESTS = '[[test]]\nname = "one"\nfile = "mail.eml"\ngoes-to = ["{folder}/box"]\n'
COMMANDS = {
    "help": ["--help"],
    "check": ["check", "{folder}/old.conf"],
    "check --explain": ["check", "--explain", "unused-action"],
    "completion": ["completion", "bash"],
    "diff": ["diff", "{folder}/fdm.conf", "{folder}/old.conf", "--mail", "{folder}/mail.eml"],
    "dry-run": ["dry-run", "-f", "{folder}/fdm.conf", "{folder}/mail.eml"],
    "explain": ["explain", "-f", "{folder}/fdm.conf", "{folder}/mail.eml"],
    "test": ["test", "-f", "{folder}/fdm.conf"],
    "why-not": ["why-not", "-f", "{folder}/fdm.conf", "0", "{folder}/mail.eml"],
}


def _run(folder: Path, command: str, output: int) -> subprocess.CompletedProcess[bytes]:
    for name, text in (("fdm.conf", RULES), ("old.conf", RULES + "match all action drop\n")):
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o600)
    (folder / "fdm.conf.tests.toml").write_text(TESTS.format(folder=folder))
    (folder / "mail.eml").write_bytes(b"From: a@b\n\nx\n")
    words = [word.format(folder=folder) for word in COMMANDS[command]]
    argv = [sys.executable, "-m", "rulesmith", *words]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_sentence(tmp_path: Path, command: str) -> None:
    with open("/dev/full", "wb") as full:
        done = _run(tmp_path, command, full.fileno())
    assert (done.returncode, done.stderr) == (2, b"rulesmith: the output: No space left on device\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_left_hears_nothing(tmp_path: Path, command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as pipe:
        done = _run(tmp_path, command, pipe.fileno())
    assert (done.returncode, done.stderr) == (1, b"")
