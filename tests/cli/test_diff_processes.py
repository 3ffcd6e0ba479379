"""`rulesmith diff` on several cores: the same report, with progress, and nothing left behind however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RULES = """\
set no-received
account "stdin" stdin
match "^Subject: tea" in headers action maildir "{tea}"
match all action maildir "inbox"
"""
SECONDS = 60.0


@pytest.fixture
def confs(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "old.conf", tmp_path / "new.conf"]
    for path, tea in zip(paths, ("inbox", "tea"), strict=True):
        path.write_text(RULES.format(tea=tea))
        path.chmod(0o600)
    return [str(path) for path in paths]


def mails(folder: Path, number: int, suffix: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in range(number):
        subject = "tea" if each % 10 == 0 else "other"
        (folder / f"{each:06}{suffix}").write_text(f"Subject: {subject}\nMessage-ID: <{each}@x>\n\n{'x' * 700}\n")


class Run:
    """The command at a terminal of its own, so that it shows its progress and gets its Ctrl-C there."""

    def __init__(self, words: list[str]) -> None:
        self.terminal, other = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rulesmith", "diff", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.shown = b""

    def read_until(self, pattern: bytes | None) -> None:
        """Until the terminal has shown such a text, or with None until the last of the processes has closed it."""
        end = time.monotonic() + SECONDS
        while pattern is None or not re.search(pattern, self.shown):
            assert select.select([self.terminal], [], [], end - time.monotonic())[0], self.shown
            try:
                octets = os.read(self.terminal, 65536)
            except OSError:  # Linux says so where nobody has the other side any more
                octets = b""
            if not octets:
                assert pattern is None, self.shown
                return
            self.shown += octets

    def processes(self) -> list[int]:
        """Those of its session that are alive."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    def close(self) -> None:
        for each in self.processes():
            os.kill(each, signal.SIGKILL)
        self.process.wait(SECONDS)
        assert self.process.stdout
        self.process.stdout.close()
        os.close(self.terminal)


@contextlib.contextmanager
def running(*words: str) -> Iterator[Run]:
    run = Run(list(words))
    try:
        yield run
    finally:
        run.close()


def test_3000_messages_of_a_maildir_on_two_processes_show_progress_and_what_one_finds(
    confs: list[str], tmp_path: Path
) -> None:
    mails(tmp_path / "box" / "cur", 3000)
    outputs = []
    for jobs in ("2", "1"):
        with running(*confs, "--mail", str(tmp_path / "box"), "--jobs", jobs, "--format", "json") as run:
            run.read_until(b"100%")
            assert run.process.stdout
            outputs.append(json.loads(run.process.stdout.read()))
            assert run.process.wait(SECONDS) == 1
            steps = {step.rpartition(b" ")[2] for step in run.shown.split(b"%")[:-1]}
            assert len(steps) > 3, run.shown
    assert outputs[0] == outputs[1]
    assert (outputs[0]["messages"], outputs[0]["changed"]) == (3000, 300)
    examples = [example["message_id"] for example in outputs[0]["groups"][0]["examples"]]
    assert examples == ["<0@x>", "<10@x>", "<20@x>"]


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A folder whose last file never comes to its end: a pipe that nobody writes into."""
    folder = tmp_path / "mail"
    mails(folder, 2000, ".eml")
    os.mkfifo(folder / "999999.eml")
    return folder


def test_ctrl_c_ends_it_with_one_line(confs: list[str], endless: Path) -> None:
    with running(*confs, "--mail", str(endless), "--jobs", "2", "--html", str(endless / "report.html")) as run:
        run.read_until(rb"[1-9]\d?%")
        assert _comes_true(lambda: len(run.processes()) > 3)
        assert _comes_true(lambda: all(_deaf_to_ctrl_c(each) for each in run.processes() if each != run.process.pid))
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(SECONDS) == 130
        run.read_until(None)
        assert b"Traceback" not in run.shown
        assert b"interrupted after " in run.shown
        assert run.process.stdout
        assert run.process.stdout.read() == b""
        assert not (endless / "report.html").exists()
        assert _comes_true(lambda: not run.processes())


def _deaf_to_ctrl_c(process: int) -> bool:
    """Whether it does not hear Ctrl-C, which would make it print a traceback."""
    status = Path(f"/proc/{process}/status").read_text()
    masks = re.findall(r"^Sig(?:Blk|Ign):\s*(\w+)$", status, re.MULTILINE)
    return any(int(mask, 16) & 1 << signal.SIGINT - 1 for mask in masks)


def test_no_process_outlives_one_that_is_killed(confs: list[str], endless: Path) -> None:
    with running(*confs, "--mail", str(endless), "--jobs", "2") as run:
        while len(run.processes()) < 3:
            assert run.process.poll() is None, run.shown
        run.process.kill()
        run.process.wait(SECONDS)
        run.read_until(None)
        assert _comes_true(lambda: not run.processes())


def _comes_true(ask: Callable[[], bool]) -> bool:
    end = time.monotonic() + SECONDS
    while not ask():
        if time.monotonic() > end:
            return False
    return True
