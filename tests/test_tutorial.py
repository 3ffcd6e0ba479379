"""The tutorial is true: its files are written and its commands run, in order, and print what it says."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_prints_what_the_tutorial_says(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": f"{_programs(tmp_path)}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    commands = 0
    for language, name, text in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        if name:
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        if language != "console":
            continue
        for command, _, expected in (part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]):
            run = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            assert re.fullmatch(_pattern(expected), run.stdout, re.DOTALL), f"$ {command}\n{run.stdout}"
            commands += 1
    assert commands > 10


def _programs(folder: Path) -> Path:
    """A folder with `fdm` and `rulesmith`; root has to say who delivers, the reader of a tutorial is not root."""
    programs = folder / "bin"
    programs.mkdir()
    user = pwd.getpwuid(os.geteuid()).pw_name
    for name, words in (("fdm", f"-m rulesmith.fdm -u {user}"), ("rulesmith", "-m rulesmith")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        program.chmod(0o755)
    return programs


def _pattern(expected: str) -> str:
    """`...` stands for anything, also across lines."""
    return ".*".join(re.escape(part) for part in expected.split("..."))
