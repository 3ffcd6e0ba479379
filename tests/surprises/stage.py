"""Runs one configuration and message through rulesmith's door and through a real fdm, in folders of their own."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from tests.differential.compare import Trace, differences, look
from tests.door import Call, Door, Outcome, command, door_on, plain_user, warm_door

MAIL = b"""\
From: Bob <bob@example.org>
To: me@example.org
Subject: hello
Message-ID: <1@example.org>
Date: Mon, 02 Mar 2020 10:00:00 +0000

body text
"""
ACCOUNT = 'account "stdin" stdin\n'
WORDS = ("-m", "-f", "conf")
STATUS = "--fdm-exit-status"


@dataclass(frozen=True)
class Run:
    """What a run left: its exit status, output, log, and the folder it happened in."""

    outcome: Outcome
    folder: Path

    @property
    def status(self) -> int | None:
        return self.outcome.status

    @property
    def out(self) -> bytes:
        """What the `stdout` action wrote; the summary line is asked not to be there (-q)."""
        return self.outcome.stdout

    @property
    def log(self) -> str:
        return self.outcome.stderr.decode("utf-8", "surrogateescape")

    def read(self, name: str) -> bytes | None:
        """A file's octets, None where there is no such file."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def mails(self, maildir: str) -> list[bytes]:
        """The messages in `new` of a maildir."""
        return [path.read_bytes() for path in sorted((self.folder / maildir / "new").glob("*"))]


class Options(TypedDict, total=False):
    """What a run may have besides; Stage._run says what each means."""

    files: Mapping[str, bytes]
    account: str
    env: Mapping[str, str]
    start: str
    mode: int
    call: tuple[str, ...]
    again: Run


class Stage:
    """Runs programs, as a plain user, each time in a folder of its own; `fdm` is the real one."""

    def __init__(self, base: Path, fdm: str) -> None:
        self.base = base
        self.fdm = fdm
        self.user = plain_user()
        self._runs = 0

    def ours(self, conf: str | bytes, mail: bytes = MAIL, *words: str, **more: Unpack[Options]) -> Run:
        """rulesmith."""
        return self._run(warm_door, conf, mail, words, **more)

    def ours_on(self, descriptor: int, conf: str | bytes, *words: str, **more: Unpack[Options]) -> Run:
        """rulesmith with this standard input."""
        return self._run(lambda call: door_on(descriptor, call), conf, b"", words, **more)

    def theirs(self, conf: str | bytes, mail: bytes = MAIL, *words: str, fdm: str = "", **more: Unpack[Options]) -> Run:
        """The real fdm 2.2, or the program `fdm`."""
        return self._run(command([fdm or self.fdm]), conf, mail, words, **more)

    def both(self, conf: str | bytes, mail: bytes = MAIL, *words: str, **more: Unpack[Options]) -> tuple[Run, Run]:
        return self.ours(conf, mail, *words, **more), self.theirs(conf, mail, *words, **more)

    def agree(self, conf: str | bytes, mail: bytes = MAIL, *words: str, **more: Unpack[Options]) -> Run:
        """Both do the same: status (by fdm's table), output, log and every file. Returns our run."""
        theirs = self.theirs(conf, mail, *words, **more)
        if "call" in more:
            more["call"] = (STATUS, *more["call"])
        ours = self.ours(conf, mail, STATUS, *words, **more)
        same = tuple(word.encode() for word in words)
        found = differences(
            Trace.of(theirs.outcome, str(theirs.folder), same), Trace.of(ours.outcome, str(ours.folder), same)
        )
        found += differences(look(str(theirs.folder)), look(str(ours.folder)))
        assert not found, "\n".join(found)
        return ours

    def _run(
        self,
        door: Door,
        conf: str | bytes,
        mail: bytes,
        words: tuple[str, ...],
        *,
        files: Mapping[str, bytes] | None = None,
        account: str = ACCOUNT,
        env: Mapping[str, str] | None = None,
        start: str = ".",
        mode: int = 0o600,
        call: tuple[str, ...] | None = None,
        again: Run | None = None,
    ) -> Run:
        """`account` stands above the configuration; `mode` is that of all files; `call` replaces the command line.

        `start` is the working directory; `again` means in the folder of that run.
        """
        self._runs += 1
        # Names of the same length, because paths get into messages and their sizes.
        folder = again.folder if again else self.base / f"{self._runs:03}"
        octets = conf if isinstance(conf, bytes) else (account + conf).encode("utf-8", "surrogateescape")
        for name, text in {"conf": octets, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text)
            (folder / name).chmod(mode)
        for each in ("home", "tmp"):
            (folder / each).mkdir(exist_ok=True)
        if self.user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": f"{folder}/home",
            "TMPDIR": f"{folder}/tmp",
            "TZ": "UTC",
            "LC_ALL": "C",
            **(env or {}),
        }
        args = (*WORDS, "-q", *words, "fetch") if call is None else call
        return Run(door(Call(args, mail, str(folder / start), environment, self.user)), folder)


def days_ago(days: float) -> bytes:
    """The message, dated so long ago."""
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - days * 86400))
    return re.sub(rb"Date: .*", b"Date: " + when.encode(), MAIL)
