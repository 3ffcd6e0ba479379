"""Runs a pair through the real fdm and through rulesmith's door, in two folders of their own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from tests.differential.compare import Trace, differences, look, refusal
from tests.differential.configuration import Pair
from tests.door import PATIENCE, Call, Door, Outcome, plain_user

# A pair that differs is run again, from the beginning of a second on: what differed because a second passed between the
# two runs agrees then.
ATTEMPTS = 4
STATUS = b"--fdm-exit-status"


def memory() -> str | None:
    """A folder that lies in memory, so that fsync costs nothing; None where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclass
class Arena:
    """Where pairs are run: the real program, our door, and how many differences another attempt cured."""

    oracle: Sequence[str]
    door: Door
    base: str
    cured: int = 0
    runs: int = 0

    def __post_init__(self) -> None:
        self.user = plain_user()
        self.person = self.user or pwd.getpwuid(os.geteuid())

    def differences(self, pair: Pair) -> list[str]:
        """What the two do differently with a pair, in words; nothing when they agree."""
        found: list[str] = []
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(1 - time.time() % 1)
            found = self._attempt(pair)
            if not found:
                self.cured += attempt > 0
                return []
        return found

    def _attempt(self, pair: Pair) -> list[str]:
        self.runs += 1
        # The two folders' names have the same length, since paths get into messages and their sizes are compared.
        with self._folder("theirs") as theirs, self._folder("rulers") as ours:
            for folder in (theirs, ours):
                self._furnish(folder, pair)
            found = self._both((*pair.words, b"-n", b"-vv"), b"", theirs, ours)
            for number, message in enumerate(pair.messages):
                if found:
                    return found
                found = [
                    f"message {number}: {each}" for each in self._both((*pair.words, b"fetch"), message, theirs, ours)
                ]
            return found or differences(look(theirs), look(ours)) or self._caches(pair, theirs, ours)

    def _both(self, words: tuple[bytes, ...], message: bytes, theirs: str, ours: str) -> list[str]:
        with self._start(words, message, theirs) as waiting:
            our_outcome = self.door(Call((STATUS, *words), message, ours, self._environment(ours), self.user))
            their_outcome = waiting.outcome()
        refused = refusal(their_outcome)
        if refused is None:
            return differences(Trace.of(their_outcome, theirs, words), Trace.of(our_outcome, ours, words))
        if their_outcome.status == our_outcome.status and refused in our_outcome.stderr:
            return []
        verdicts = [f"{each.status} {os.fsdecode(each.stderr)}" for each in (their_outcome, our_outcome)]
        return ["fdm refuses the configuration: {}we: {}".format(*verdicts)]

    def _caches(self, pair: Pair, theirs: str, ours: str) -> list[str]:
        """What the caches hold, as each program tells it."""
        words = (*(word for word in pair.words if word != b"-q"), b"cache", b"dump")
        found = []
        for cache in pair.caches:
            path = cache.strip()
            for start in ("~", "%h", "%[home]"):
                path = path.replace(start, "home")
            if os.path.exists(f"{theirs}/{path}") and os.path.exists(f"{ours}/{path}"):
                found += self._both((*words, os.fsencode(path)), b"", theirs, ours)
        return found

    def verdicts(self, pair: Pair, configuration: bytes) -> tuple[Outcome, Outcome]:
        """What `-n` says on both sides when the pair has that configuration."""
        words = (*pair.words, b"-n")
        pair = replace(pair, configuration=configuration)
        with self._folder("theirs") as theirs, self._folder("rulers") as ours:
            for folder in (theirs, ours):
                self._furnish(folder, pair)
            with self._start(words, b"", theirs) as waiting:
                our_outcome = self.door(Call(words, b"", ours, self._environment(ours), self.user))
                return waiting.outcome(), our_outcome

    # Folders --------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _folder(self, name: str) -> Iterator[str]:
        folder = f"{self.base}/{name}"
        os.mkdir(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _furnish(self, folder: str, pair: Pair) -> None:
        for name in ("home", "tmp"):
            os.mkdir(f"{folder}/{name}")
        for path, text in {"conf": pair.configuration, **pair.files}.items():
            whole = Path(folder, path)
            if path.endswith("/"):
                whole.mkdir(parents=True, exist_ok=True)
                continue
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(text)
            whole.chmod(0o600)
        if self.user:
            for top, folders, files in os.walk(folder):
                for each in (".", *folders, *files):
                    os.chown(f"{top}/{each}", self.user.pw_uid, self.user.pw_gid)

    def _environment(self, folder: str) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": f"{folder}/home",
            "TMPDIR": f"{folder}/tmp",
            # What one pair leaves in its journal is no business of the next, whose configuration has the same path.
            "XDG_STATE_HOME": f"{folder}/home/.cache",
            "TZ": "UTC",
            "LC_ALL": "C",
        }

    @contextlib.contextmanager
    def _start(self, words: tuple[bytes, ...], message: bytes, folder: str) -> Iterator[_Waiting]:
        """The real program, running while ours does."""
        options: dict[str, object] = {"cwd": folder, "env": self._environment(folder), "umask": 0o022}
        if self.user:
            options |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(message)
            stdin.seek(0)
            with subprocess.Popen(
                [*self.oracle, *words],
                stdin=stdin,
                stdout=out,
                stderr=err,
                **options,  # type: ignore[call-overload]
            ) as running:
                yield _Waiting(running, out, err)


@dataclass
class _Waiting:
    running: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]

    def outcome(self) -> Outcome:
        status: int | None
        try:
            status = self.running.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
            status = None
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read())
        return Outcome(status, texts[0], texts[1])
