"""Runs the commands of a page of the manual as its reader would, and compares what they print with the page.

A block of a page with `file=NAME` is a file that the reader saves; a `console` block has commands, after `$ `, and
what they print, in which `...` stands for any text. `python -m tests.terminal PAGE` writes into the page what they
print now, wherever that is something else.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.door import plain_user

ROOT = Path(__file__).parent.parent
_PARTS = re.compile(
    r"^## (?P<title>[^\n]*)$|^```(?P<language>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_AS_PLAIN_USER = (
    "import os,sys; os.setgroups([]); os.setgid({gid}); os.setuid({uid}); os.execv(sys.argv[1],sys.argv[1:])"
)


@dataclass(frozen=True)
class Step:
    """A command of a page: where in the page what it prints begins, and what that is."""

    section: str
    command: str
    start: int
    expected: str


@dataclass(frozen=True)
class Printed:
    """What a command has printed."""

    step: Step
    text: str

    @property
    def as_the_page_says(self) -> bool:
        pattern = ".*".join(re.escape(part) for part in self.step.expected.split("..."))
        return re.fullmatch(pattern, self.text, re.DOTALL) is not None


class Terminal:
    """A folder with programs in its PATH: `rulesmith`, `fdm` and, where it is added, the real one as `fdm-2.2`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = plain_user()
        self._number = 0
        (folder / "bin").mkdir()
        # Root has to say who delivers, which the reader of a manual is not; and his home is that of his environment.
        me = f"-h -u {pwd.getpwuid(os.geteuid()).pw_name}"
        self._program("fdm", f'exec "{sys.executable}" -m rulesmith.fdm {me} "$@"')
        python = f'exec "{sys.executable}" -m rulesmith'
        aware = f'check | dry-run | why-not | test) word=$1; shift; {python} "$word" {me} "$@" ;;'
        self._program("rulesmith", f'case $1 in {aware} esac\n{python} "$@"')
        self.afresh()

    def add_real(self, program: str) -> None:
        """The real fdm, which refuses root."""
        drop = ""
        if self._user is not None:
            code = _AS_PLAIN_USER.format(gid=self._user.pw_gid, uid=self._user.pw_uid)
            drop = f"\"{sys.executable}\" -c '{code}' "
        self._program("fdm-2.2", f'exec {drop}"{program}" -h "$@"')

    def afresh(self) -> None:
        """Another home, without anything in it."""
        self._number += 1
        self.home = self.folder / f"home{self._number}"
        self.home.mkdir()
        self._give_away(self.home)
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "RULESMITH_CONF": "",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.home / ".state"),
            "LC_ALL": "C.UTF-8",
        }

    def save(self, name: str, text: str) -> None:
        """Write a file that nobody else may read."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self._give_away(path)

    def run(self, command: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.home, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "backslashreplace")

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)


@contextmanager
def terminal() -> Iterator[Terminal]:
    """A terminal for a while, in a folder that a plain user may use."""
    folder = Path(tempfile.mkdtemp(prefix="terminal."))
    try:
        folder.chmod(0o755)
        yield Terminal(folder)
    finally:
        shutil.rmtree(folder)


def play(page: str, on: Terminal, homes: bool = False) -> Iterator[Printed]:
    """Save the files of a page and run its commands, in order; with `homes` each `## ` begins in a home of its own."""
    section = ""
    for part in _PARTS.finditer(page):
        if part["title"] is not None:
            section = part["title"]
            if homes:
                on.afresh()
            continue
        if part["file"]:
            on.save(part["file"], part["text"])
        if part["language"] == "console":
            yield from (Printed(step, on.run(step.command)) for step in _steps(section, part))


def _steps(section: str, block: re.Match[str]) -> Iterator[Step]:
    prompts = [*_PROMPT.finditer(block["text"])]
    ends = [prompt.start() for prompt in prompts[1:]] + [len(block["text"])]
    for prompt, end in zip(prompts, ends, strict=True):
        command, _, expected = block["text"][prompt.end() : end].partition("\n")
        yield Step(section, command, block.start("text") + prompt.end() + len(command) + 1, expected)


def record(path: Path, homes: bool, real: Path | None) -> int:
    """Write into a page what its commands print now; how many places have changed."""
    page = path.read_text(encoding="utf-8")
    with terminal() as on:
        if real is not None:
            shutil.copytree(real.parent, on.folder / "real", symlinks=True)
            on.add_real(str(on.folder / "real" / real.name))
        changed = [printed for printed in play(page, on, homes) if not printed.as_the_page_says]
    for printed in reversed(changed):
        start = printed.step.start
        page = page[:start] + printed.text + page[start + len(printed.step.expected) :]
    path.write_text(page, encoding="utf-8")
    return len(changed)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with_real = "fdm-2.2" in Path(name).read_text(encoding="utf-8")
        oracle = ROOT / ".cache" / "oracle" / "2.2" / "fdm"  # where tests/oracle/install puts it
        print(name, record(Path(name), with_real, oracle if with_real else None))
