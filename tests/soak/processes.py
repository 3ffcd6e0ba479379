"""The processes of the bed, seen from outside, to be stopped and killed; and which letter each is at work on."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chain.bed import Bed

_SENDER = re.compile(rb"^Return-Path: <(m\d+)@", re.MULTILINE)
_LETTER = re.compile(rb"(?:^|\0)LETTER=(m\d+)@")
_HEAD = 1 << 14


@dataclass(frozen=True)
class Process:
    number: int
    parent: int
    words: tuple[str, ...]

    def is_fetchmail(self) -> bool:
        return os.path.basename(self.words[0]) == "fetchmail"

    def is_door(self) -> bool:
        return self._is_python("fdm")

    def is_deliver(self) -> bool:
        return os.path.basename(self.words[0]) in ("deliver", "dovecot-lda")

    def is_queue_run(self) -> bool:
        return self._is_python("rulesmith") and self.words[2:4] == ("queue", "run")

    def is_there(self) -> bool:
        """Whether it has not ended."""
        return _words(self.number) == self.words

    def is_try(self) -> bool:
        """A process that `queue run` has started for one message; itself it is a child of the bed's agent."""
        return self.is_queue_run() and not "".join(_words(self.parent)[-1:]).endswith("/agent.py")

    def _is_python(self, script: str) -> bool:
        # The door is started with options of Python.
        scripts = (word for word in self.words[1:] if not word.startswith("-"))
        return "python" in self.words[0] and os.path.basename(next(scripts, "")) == script

    def letter(self) -> str:
        """The letter that it, or whoever has started it, is at work on; "" for none."""
        number = self.number
        while number > 1:
            found = _by_environment(number) or _by_queue(number)
            if found:
                return found
            number = _parent(number)
        return ""


class Processes:
    def __init__(self, bed: Bed) -> None:
        self._space = os.readlink(f"/proc/{bed.process_id}/ns/pid_for_children")

    def all(self) -> list[Process]:
        return list(self._all())

    def _all(self) -> Iterator[Process]:
        for name in os.listdir("/proc"):
            if name.isdigit():
                # Many are gone before we have looked at them.
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{name}/ns/pid") != self._space:
                        continue
                    words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")[:-1]
                    if words:
                        yield Process(int(name), _parent(int(name)), tuple(map(_text, words)))

    def states(self) -> Iterator[str]:
        """Each process with what it waits for, to be read by people."""
        for each in self._all():
            with contextlib.suppress(OSError):
                state = Path("/proc", str(each.number), "stat").read_text(errors="replace").rpartition(")")[2][1]
                waits = Path("/proc", str(each.number), "wchan").read_text()
                yield f"{each.number} (of {each.parent}) {state} {waits} {' '.join(each.words).strip()}"

    def below(self, config: str) -> list[Process]:
        """The Dovecot with this configuration and everything that it has started; the master first."""
        everyone = self.all()
        found = [each for each in everyone if each.words[1:] == ("-F", "-c", config)]
        for each in found:
            found += [other for other in everyone if other.parent == each.number]
        return found


def send(process: Process, number: int) -> bool:
    """Send it a signal; whether it was still there."""
    try:
        watch = os.pidfd_open(process.number)
    except ProcessLookupError:
        return False
    try:
        # Its number may belong to another one by now.
        if _words(process.number) != process.words:
            return False
        signal.pidfd_send_signal(watch, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(watch)
    return True


def _words(number: int) -> tuple[str, ...]:
    with contextlib.suppress(OSError):
        return tuple(map(_text, Path("/proc", str(number), "cmdline").read_bytes().split(b"\0")[:-1]))
    return ()


def _text(word: bytes) -> str:
    return word.decode(errors="replace")


def _parent(number: int) -> int:
    """0 when it is gone."""
    with contextlib.suppress(OSError):
        return int(Path("/proc", str(number), "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return 0


def _by_environment(number: int) -> str:
    with contextlib.suppress(OSError):
        found = _LETTER.search(Path("/proc", str(number), "environ").read_bytes())
        return found[1].decode() if found else ""
    return ""


def _by_queue(number: int) -> str:
    """The letter in the file of the queue that it has open."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{number}/fd"):
            target = os.readlink(entry.path)
            if target.removesuffix(" (deleted)").endswith((".mail", ".taken")) and "/queue/" in target:
                with open(entry.path, "rb") as file:
                    found = _SENDER.search(file.read(_HEAD))
                return found[1].decode() if found else ""
    return ""
