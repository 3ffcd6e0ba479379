"""Commands that say who they are before their time is over, however busy the machine is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from rulesmith.delivery import shell

PATIENCE = 60.0  # seconds


def has_ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody reaps counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for_lines(path: Path, count: int) -> list[str]:
    """A file's first so many lines, as soon as they are there to their ends."""
    deadline = time.monotonic() + PATIENCE
    while True:
        text = path.read_text() if path.exists() else ""
        if text.count("\n") >= count:
            return text.splitlines()[:count]
        assert time.monotonic() < deadline, f"{path}: {text!r}"
        os.sched_yield()


def commands_write_first(patch: pytest.MonkeyPatch, path: Path, count: int) -> None:
    """From now on a command has been started when it has written so many lines; its time limit runs since before.

    `path` is relative to where the command runs.
    """
    plain = shell.start

    def start(*args: Any) -> shell.Started:
        started = plain(*args)
        wait_for_lines(path, count)
        return started

    patch.setattr(shell, "start", start)
