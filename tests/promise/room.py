"""A room for the promise: a plan of several deliveries, runs that die on the way, and what is there afterwards."""

from __future__ import annotations

import os
import pwd
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rulesmith import queue_run
from rulesmith.delivery.drive import Driver
from tests import system
from tests.door import Call, Outcome, warm_door

# Calls of the system that change something; at each of them a run may die.
STEPS = ("open", "write", "pwrite", "fsync", "close", "link", "unlink", "rename", "mkdir", "ftruncate", "posix_spawn")
TARGETS = ("a", "b", "c", "d")
PLAN = 'match all action { maildir "a" pipe "cat >>b" mbox "c" maildir "d" }\n'


def a_mail(number: int = 1, more: bytes = b"") -> bytes:
    return b"From: x@example.org\nSubject: %d\nMessage-ID: <%d@x>\n%s\nletter %d\n" % (number, number, more, number)


class Room:
    """A folder with `conf`, where messages are handed to the door; `queue` says whether there is one."""

    def __init__(self, folder: Path, queue: bool = False, rules: str = PLAN, settings: str = "") -> None:
        self.folder = folder
        self.queue = folder / "queue" if queue else None
        self.journal = folder / "journal"
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.site = folder / "site"
        self.site.write_text("")
        self.configure(rules, settings)

    def configure(self, rules: str, settings: str = "") -> None:
        queue = f'set queue "{self.queue}"\n' if self.queue else ""
        conf = self.folder / "conf"
        conf.write_text(
            f'set default-user "{self.user}"\nset journal "{self.journal}"\n{queue}set no-received\nset timeout 20\n'
            f'{settings}account "stdin" stdin\n{rules}'
        )
        conf.chmod(0o600)
        # Older than its program, so that this is kept and later runs are quick.
        os.utime(conf, (conf.stat().st_ctime_ns % 10**9,) * 2)

    def call(self, mail: bytes) -> Call:
        environment = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "RULESMITH_CONF": str(self.site),
            "TMPDIR": str(self.folder),
        }
        return Call(["-f", "conf", "-m", "-q", "-a", "stdin", "fetch"], mail, str(self.folder), environment)

    def hand(self, mail: bytes) -> Outcome:
        return warm_door(self.call(mail))

    def mend(self, mail: bytes) -> None:
        """What comes after a failure: the caller hands the message over until it is told 0; the queue is worked on."""
        for _ in range(3):
            outcome = self.hand(mail)
            if outcome.status == 0:
                break
        assert outcome.status == 0, outcome.stderr.decode()
        assert self.work() == []

    def work(self) -> list[bytes]:
        """One pass over the queue; what is left."""
        if self.queue is None:
            return []
        runner = queue_run.Runner(bytes(self.queue), lambda _line: None)
        return runner.once()

    def copies(self, mail: bytes) -> Counter[str]:
        """How often the message is in each target, octet for octet."""
        found: Counter[str] = Counter()
        for name in TARGETS:
            path = self.folder / name
            if path.is_dir():
                found[name] = sum(each.read_bytes() == mail for each in (path / "new").glob("*"))
            elif path.exists():
                found[name] = path.read_bytes().count(mail)
        return found

    def records(self) -> list[str]:
        return sorted(each.name for each in self.journal.iterdir()) if self.journal.exists() else []

    def entries(self) -> list[str]:
        assert self.queue
        return sorted(each.name for each in self.queue.iterdir() if each.is_file()) if self.queue.exists() else []


def _in_children(step: int, call: Callable[..., Any], act: Callable[[], None], count: list[int]) -> Callable[..., Any]:
    us = os.getpid()

    def instead(*args: Any, **named: Any) -> Any:
        if os.getpid() != us:
            count[0] += 1
            if count[0] == step + 1:
                act()
        return call(*args, **named)

    return instead


@contextmanager
def dying_at_call(step: int) -> Iterator[None]:
    """Processes that are forked in here are killed instead of their call number `step`."""
    kept = {name: getattr(os, name) for name in STEPS}
    count = [0]
    for name, call in kept.items():
        system.install(name, _in_children(step, call, lambda: os.kill(os.getpid(), signal.SIGKILL), count))
    try:
        yield
    finally:
        for name, call in kept.items():
            system.install(name, call)


@contextmanager
def signal_at_effect(step: int, number: int, after: bool) -> Iterator[None]:
    """Processes that are forked in here get a signal just before, or after, they carry out effect number `step`."""
    kept = Driver.answer
    count = [0]

    def instead(self: Driver, effect: tuple[Any, ...]) -> Any:
        count[0] += 1
        mine = count[0] == step + 1
        if mine and not after:
            os.kill(os.getpid(), number)
        answer = kept(self, effect)
        if mine and after:
            if isinstance(answer, Iterator):
                # It is done bit by bit.
                answer = list(answer)
            os.kill(os.getpid(), number)
        return answer

    Driver.answer = instead  # type: ignore[method-assign]
    try:
        yield
    finally:
        Driver.answer = kept  # type: ignore[method-assign]
