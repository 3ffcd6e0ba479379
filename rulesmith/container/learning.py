"""The service `learner`: what users move to Junk and back teaches rspamd.

The spool has a file for each message that was moved (image/sieve-bin/learn), named by the time: three lines, what it
is, whose, and the folder it came to; then the message. They are taught in that order, so the last move counts.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple, Protocol

import click

from rulesmith.cli.learn import LATER, NOT_LEARNED, told
from rulesmith.container.inventory import installed, running
from rulesmith.diagnostics.printable import printable
from rulesmith.scan.cold import Rspamd
from rulesmith.scan.no_verdict import NoVerdict

SPOOL = Path("/home/vmail/.rulesmith/learn")
CONTROLLER = b"unix:/run/rspamd/controller.sock"
# Seconds: between two looks at the spool; for each step of an answer; between two tries, at first and at most.
_PAUSE, _PATIENCE = 1.0, 60.0
_FIRST, _LONGEST = 2.0, 300.0
# So many tries, and a message that others are learned beside is put aside.
_TRIES = 5
# So many messages that cannot be learned are kept to be looked at.
_ASIDE = 100
# Seconds after which half a message is what a program that was killed has left.
_STALE = 3600.0


class Controller(Protocol):
    """Who is taught."""

    def learn(self, kind: str, raw: bytes, user: bytes) -> tuple[int, bytes]:
        """HTTP's status and body. Raises NoVerdict."""


class Move(NamedTuple):
    """A message that was moved."""

    kind: str
    user: bytes
    folder: bytes
    raw: bytes

    def __str__(self) -> str:
        return f"{_text(self.user)}: {_text(self.folder)}"


class Spool:
    """The moves that wait."""

    def __init__(self, folder: Path) -> None:
        self._new, self._drafts, self._aside = folder / "new", folder / "tmp", folder / "bad"

    def waiting(self) -> list[str]:
        """Their names, oldest first."""
        try:
            # Of one nanosecond, in the order of their processes.
            return sorted(os.listdir(self._new), key=lambda name: [part.zfill(20) for part in name.split(".")])
        except FileNotFoundError:
            return []

    def read(self, name: str) -> Move:
        """Raises ValueError where it is no move, OSError."""
        kind, user, folder, raw = (self._new / name).read_bytes().split(b"\n", 3)
        if kind not in (b"spam", b"ham"):
            raise ValueError(f"{kind!r} is neither spam nor ham")
        return Move(kind.decode(), user, folder, raw)

    def done(self, name: str) -> None:
        """It has been taught."""
        (self._new / name).unlink()

    def put_aside(self, name: str) -> Path:
        """Out of the way; where it is now. The oldest are forgotten."""
        self._aside.mkdir(mode=0o700, exist_ok=True)
        target = self._aside / name
        (self._new / name).rename(target)
        for each in sorted(os.listdir(self._aside))[:-_ASIDE]:
            (self._aside / each).unlink()
        return target

    def sweep(self) -> None:
        """Remove what programs that were killed have left. Raises OSError."""
        if not self._drafts.exists():
            return
        for each in self._drafts.iterdir():
            try:
                stale = each.stat().st_mtime < time.time() - _STALE
            except FileNotFoundError:
                # Its program has just come to its end.
                continue
            if stale:
                each.unlink()


class Teacher:
    """Teaches `rspamd` what is in the spool; `say` gets a line for each."""

    def __init__(self, spool: Spool, rspamd: Controller) -> None:
        self._spool, self._rspamd = spool, rspamd
        self._tries: dict[str, int] = {}

    def round(self) -> str:
        """Teach all that wait; why it had to stop, or nothing.

        What fails again and again while others do not is the message's own fault: that one is put aside.
        """
        names = self._spool.waiting()
        suspect = ""
        for name in names:
            failure = self._teach(name)
            if failure is None:
                if suspect:
                    say(f"{suspect} is put aside: {self._spool.put_aside(suspect)}")
                    del self._tries[suspect]
                    suspect = ""
                continue
            self._tries[name] = self._tries.get(name, 0) + 1
            if suspect or self._tries[name] < _TRIES:
                return failure
            # Is it the message, or rspamd? The next one will tell.
            suspect = name
            last = failure
        return last if suspect else ""

    def _teach(self, name: str) -> str | None:
        """One message; None when it is done with, else why it is not now."""
        try:
            move = self._spool.read(name)
        except ValueError as error:
            say(f"{name} is no message that was moved ({error}): {self._spool.put_aside(name)}")
            return None
        if not move.raw:
            say(f"{move}: not learned as {move.kind}: the message is empty")
            self._spool.done(name)
            return None
        try:
            answer = self._rspamd.learn(move.kind, move.raw, move.user)
        except NoVerdict as failure:
            return f"{move}: not learned as {move.kind} yet: {failure}"
        status, said = told(move.kind, *answer)
        # A password is asked for, or rspamd's configuration refuses us: nothing that is the message's fault.
        if status == LATER or answer[0] in (401, 403, 404):
            return f"{move}: not learned as {move.kind} yet: {said.removeprefix('not learned: ')}"
        self._tries.pop(name, None)
        if status == NOT_LEARNED and answer[0] != 204:
            say(f"{move}: {said}: {self._spool.put_aside(name)}")
            return None
        self._spool.done(name)
        say(f"{move}: {said}")
        return None


def pause(failures: int) -> float:
    """Seconds to wait after so many rounds that had to stop, one after the other."""
    return min(_FIRST * 2.0 ** min(failures - 1, 20), _LONGEST) if failures else _PAUSE


def say(line: str) -> None:
    """One line of the log."""
    click.echo(line)


def _text(octets: bytes) -> str:
    return printable(octets.decode("utf-8", "surrogateescape"))


def main() -> None:
    """Until SIGTERM."""
    # For `rulesmith restore`, which must not change what a server is using; this service needs nothing else to run.
    lock = running(installed())
    if lock is None:
        say("another server runs on these volumes")
    spool = Spool(SPOOL)
    teacher = Teacher(spool, Rspamd(CONTROLLER, _PATIENCE))
    failures = 0
    while True:
        try:
            if not failures:
                spool.sweep()
            reason = teacher.round()
        except OSError as error:
            reason = f"the spool cannot be read: {error}"
        failures = failures + 1 if reason else 0
        if reason:
            waiting = len(os.listdir(SPOOL / "new")) if (SPOOL / "new").exists() else 0
            say(f"{reason}; {waiting} waiting, tried again in {pause(failures):.0f} s")
        time.sleep(pause(failures))


if __name__ == "__main__":
    main()
