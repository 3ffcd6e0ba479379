"""The house of the fault suite with everything that a soak needs besides: a queue that runs, small disks, rspamd."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.certificates import Authority
from tests.chain.bed import Bed, Done
from tests.chain.dovecot import Dovecot
from tests.faults.house import USER, House
from tests.faults.spam import Spam
from tests.soak import handover
from tests.soak.chronicle import Chronicle
from tests.soak.letter import RULES, Letter
from tests.soak.processes import Processes, send

# Each holds what arrives before it is looked at, and is filled up in no time.
DISKS = {"home": "24m", "state": "4m", "queue": "24m", "mail": "12m"}
QUEUE = "/small/queue/queue"
# Seconds that deliver has; far more than it needs.
TIMEOUT = 5
_SITE = f"""\
set maximum-size 200M
set timeout {TIMEOUT}
set journal "/small/state/journal"
set scan "{Spam.url}"
set scan-timeout 2 seconds
set queue-tries 4
set queue-time 40 seconds
"""
_DELIVER = """\
#!/bin/sh
case "$*" in *"-m Poison"*) cat >/dev/null; exit 75;; esac
. /config/fault
exec /usr/libexec/dovecot/deliver "$@"
"""
_PATIENCE = 60.0  # seconds


class Stage:
    """Raises parts.Missing where there cannot be one."""

    def __init__(self) -> None:
        bed = Bed(DISKS, spam=True)
        self._left = contextlib.ExitStack()
        self._left.callback(bed.close)
        with contextlib.ExitStack() as failed:
            failed.enter_context(self._left)
            self.bed = bed
            folder = Path(self._left.enter_context(tempfile.TemporaryDirectory()))
            self.house = House(bed, Authority(folder))
            self.spam = Spam(bed)
            self._prepare()
            failed.pop_all()

    def _prepare(self) -> None:
        self.home, self.config = self.bed.home, self.house.config
        (self.house.local.mail / USER).symlink_to("../../small/home")
        self.book = handover.Book(self.config / "soak")
        self.bed.own(self.config)
        self.chronicle = Chronicle()
        self.processes = Processes(self.bed)
        self.put(self.config / "door", handover.SCRIPT, 0o755)
        self.queue_run: int | None = None
        self.fetchmail: int | None = None
        self.poll = 0
        self.mend_deliver()
        self.mend_configuration()
        self.set_site(queue=False, unscanned=False)

    def close(self) -> None:
        self._left.close()

    def pause(self, seconds: float) -> bool:
        """Let things go on for a while, less when fetchmail comes to its end; whether it has."""
        return self.bed.first_ended([] if self.fetchmail is None else [self.fetchmail], seconds) is not None

    def put(self, path: Path, text: str, mode: int = 0o600) -> None:
        """Make a file of the bed's user; nobody ever sees half of it."""
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(text)
        draft.chmod(mode)
        _own(draft)
        draft.rename(path)

    # What can break: each with its way back.

    def break_deliver(self, fault: str) -> None:
        """From now on deliver begins with this piece of shell."""
        self.put(self.config / "fault", fault + "\n")

    def mend_deliver(self) -> None:
        self.break_deliver("")
        self.put(self.config / "deliver", _DELIVER, 0o755)

    def mend_configuration(self) -> None:
        self.put(self.home / "fdm.conf", RULES)

    def set_site(self, queue: bool, unscanned: bool) -> None:
        """The settings for everybody: with a queue, or with the journal alone; what happens without a scan."""
        text = _SITE + (f'set queue "{QUEUE}"\n' if queue else "")
        text += f"set scan-failure unreachable {'deliver' if unscanned else 'defer'}\n"
        self.put(self.home / "site.conf", text)

    def fill(self, disk: str, free: int) -> None:
        """Leave so many octets free on a small disk, or fewer: others write there too."""
        there = f"$(stat -f -c '%a * %S' /small/{disk})"
        self.bed.run("sh", "-c", f"cd /small/{disk} && head -c $(({there} - {free})) /dev/zero >ballast")

    def make_room(self, disk: str) -> None:
        self.bed.run("rm", "-f", f"/small/{disk}/ballast")

    def restart(self, server: Dovecot) -> None:
        """Start it again after it was killed with everything that it had started."""
        (server.run / "master.pid").unlink(missing_ok=True)
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                server.restart()
            except AssertionError:
                # What was killed may have a port for a moment.
                if time.monotonic() > end:
                    raise
                self.pause(0.1)
            else:
                return

    def kill_server(self, server: Dovecot) -> None:
        for process in self.processes.below(f"/config/{server.run.name}.conf"):
            send(process, signal.SIGKILL)
        self.bed.wait(server.process)

    def start_queue_run(self) -> None:
        if self.queue_run is None:
            command = f"exec {self.house.rulesmith} queue run --queue {QUEUE} >>/config/soak/queue 2>&1"
            self.queue_run = self.bed.begin("sh", "-c", command, env=self._site())

    def queue_pass(self) -> Done:
        """`queue run --once`."""
        name = self.bed.begin(self.house.rulesmith, "queue", "run", "--once", "--queue", QUEUE, env=self._site())
        assert self.bed.first_ended([name], 10 * _PATIENCE) is not None, "queue run --once does not come to its end"
        return self.bed.wait(name)

    def queued(self) -> list[bytes]:
        return self.house.queued(self.house.inside(QUEUE[1:]))

    def begin_poll(self, mode: str) -> None:
        """fetchmail looks for mail once."""
        self.poll += 1
        # Who is killed leaves it there, and another process may have its number.
        (self.home / "fetchmail.pid").unlink(missing_ok=True)
        command = self.house.fetching.command(mode, handover.COMMAND)
        self.fetchmail = self.bed.begin(*command, env={**self._site(), "POLL": str(self.poll)})

    def end_poll(self) -> Done:
        assert self.fetchmail is not None
        done = self.bed.wait(self.fetchmail)
        self.fetchmail = None
        self.book.read()
        return done

    def _site(self) -> dict[str, str]:
        return {"RULESMITH_CONF": f"/{self.home.relative_to(self.bed.folder)}/site.conf"}

    # The provider's mailbox.

    def post(self, letters: Iterable[Letter]) -> None:
        """The provider gets mail; each letter appears at once and whole."""
        maildir = self.house.provider.mail / USER / "Maildir"
        if not maildir.exists():
            for folder in (maildir.parent, maildir, *(maildir / name for name in ("tmp", "new", "cur"))):
                folder.mkdir(mode=0o700)
                _own(folder)
        for letter in letters:
            draft = maildir / "tmp" / f"{letter.number:07}.a.provider"
            draft.write_bytes(letter.raw)
            _own(draft)
            draft.rename(maildir / "new" / draft.name)

    def forget_source(self) -> None:
        """Another mailbox at the provider, empty and never read by fetchmail."""
        shutil.rmtree(self.house.provider.mail / USER)
        (self.home / "fetchids").unlink(missing_ok=True)

    def take(self, folder: str) -> Iterator[tuple[Path, bytes]]:
        """The messages in a maildir of the bed; who has done with one removes it, as its reader would."""
        for part in ("new", "cur"):
            top = self.house.inside(folder) / part
            with contextlib.suppress(FileNotFoundError):
                for name in sorted(os.listdir(top)):
                    yield top / name, (top / name).read_bytes()


def _own(path: Path) -> None:
    """To whom its folder belongs."""
    parent = path.parent.stat()
    if parent.st_uid != os.geteuid():
        os.chown(path, parent.st_uid, parent.st_gid)
