"""A real `rulesmith serve` with users of its own, and a client that reads one reply after the other."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

PATIENCE = 120.0  # seconds
ME = pwd.getpwuid(os.geteuid()).pw_name
NAME = "user@example.com"
_SENDER = re.compile(rb"\AReturn-Path: <(?:a@example\.org)?>\n")
# Seconds in which a server that is told to stop has ended, commands that hang with it. It has two; the machine may have
# more to do, and what hangs would do so for longer.
SOON = 15.0
# A server that gives what is under way as long as it takes.
PATIENT = {"STOP_GRACE": PATIENCE, "SERVE_GRACE": PATIENCE}
# One that gives its workers as long as it takes, and they end what hangs as soon as ever: no command is left behind.
WAITS_FOR_WORKERS = {"SERVE_GRACE": PATIENCE}
ENVELOPE = b"LHLO client\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n"


def a_mail(number: int = 1, size: int = 0) -> bytes:
    text = b"From: a@example.org\nSubject: %d\nMessage-ID: <%d@x>\n\nletter %d\n" % (number, number, number)
    return text + (b"y" * 71 + b"\n") * (size // 72)


def wire(mail: bytes) -> bytes:
    return mail.replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..") + b".\r\n"


class Service:
    """A server over a folder of users; `stop` ends it."""

    def __init__(
        self, env: dict[str, str] | None = None, limits: dict[str, float] | None = None, **settings: object
    ) -> None:
        """`settings` are those of rulesmith/serve/settings.py; `limits` take the place of some of limits.py."""
        # Not below pytest's folder: a unix socket's path may have 107 octets only.
        self.folder = Path(tempfile.mkdtemp(prefix="serve-"))
        self.socket = self.folder / "socket"
        self.users = self.folder / "users"
        self.site = self.folder / "site"
        self.site.write_text("")
        self.users.mkdir()
        self.log = self.folder / "log"
        self._settings = settings
        self._env = env or {}
        self._limits = limits or {}
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, rules: str, name: str = NAME, settings: str = "") -> Path:
        """A user's configuration; his folder."""
        home = self.users / name
        home.mkdir(exist_ok=True)
        conf = home / "fdm.conf"
        conf.write_text(
            f'set default-user "{ME}"\nset journal "{home}/journal"\nset no-received\n'
            f'{settings}account "stdin" disabled stdin\n{rules}'
        )
        conf.chmod(0o600)
        # Older than its program, so that this is kept; and another time than before.
        moment = (time.time_ns() // 1000) % 10**9
        os.utime(conf, (moment, moment))
        return home

    def start(self) -> Service:
        read, write = os.pipe()
        # Past the command line, which takes a second to load.
        settings = {"socket": str(self.socket), "users": str(self.users), "ready": write, **self._settings}
        code = f"import runpy; from rulesmith import limits; vars(limits).update({self._limits}); "
        code += "runpy.run_module('rulesmith.serve', run_name='__main__')"
        argv = [sys.executable, "-P", *(("-c", code) if self._limits else ("-m", "rulesmith.serve"))]
        argv.append(json.dumps(settings))
        env = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "TMPDIR": str(self.folder)}
        env |= {"RULESMITH_CONF": str(self.site), **self._env}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, pass_fds=[write], stdout=log, stderr=log, env=env)
        os.close(write)
        with open(read, "rb") as ready:
            if ready.read(1) != b"\n":
                self.process.wait(PATIENCE)
                raise AssertionError(self.log.read_text())
        return self

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End it; the seconds that this took. A kill is waited for until nothing of it is left."""
        assert self.process
        begin = time.monotonic()
        family = self.family()
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        until(lambda: all(is_gone(pid) for pid in family))
        return time.monotonic() - begin

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def family(self) -> list[int]:
        """The server, its nursery, its workers."""
        assert self.process
        return [self.process.pid, *self.descendants(self.process.pid)]

    def descendants(self, pid: int) -> list[int]:
        children = children_of(pid)
        return [*children, *(each for child in children for each in self.descendants(child))]

    def workers(self) -> list[int]:
        assert self.process
        [nursery] = children_of(self.process.pid)
        return children_of(nursery)

    def connect(self) -> Client:
        client = Client(self.socket)
        client.greet()
        return client

    def at_once(self, octets: bytes) -> Client:
        """A client whose first words are there before the server looks: none of its seconds goes by before them."""
        with self.standing_still():
            client = Client(self.socket)
            client.say(octets)
        client.greet()
        return client

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Meanwhile the server does nothing."""
        assert self.process
        halt(self.process.pid)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def hand(self, mail: bytes, name: str = NAME) -> int:
        """Hand one message over; the code of the answer."""
        with self.connect() as client:
            return client.hand(mail, name)

    def occupy(self, users: Sequence[str]) -> list[Client]:
        """Start with a worker at work for each of these users; his client waits until `release`."""
        for user in users:
            os.mkfifo(self.configure('match all action pipe "cat >/dev/null; read x <gate"\n', user) / "gate")
        self.start()
        clients = [self.connect() for _ in users]
        for user, client in zip(users, clients, strict=True):
            client.begin(user)
            client.say(wire(a_mail()))
        until(lambda: len(self.workers()) == len(users))
        return clients

    def release(self, user: str, client: Client) -> None:
        """Let the user's command end."""
        (self.users / user / "gate").write_text("go\n")
        assert client.code() == 250

    def stand_still(self) -> int:
        """Start, have a message stored, and stop the worker that has done it; its number."""
        self.start()
        assert self.hand(a_mail(1)) == 250
        [worker] = self.workers()
        halt(worker)
        return worker

    def box(self, name: str, user: str = NAME) -> list[bytes]:
        """What is in a maildir of a user's folder, without the field that says who sent it."""
        return [
            _SENDER.sub(b"", path.read_bytes(), count=1)
            for path in sorted((self.users / user / name / "new").glob("*"))
        ]

    def records(self, user: str = NAME) -> list[str]:
        """The journal's files."""
        return sorted(path.name for path in (self.users / user).glob("journal/*"))

    def queue(self) -> list[str]:
        folder = self.folder / "queue"
        return sorted(each.name for each in folder.iterdir() if each.is_file()) if folder.exists() else []

    def work(self) -> None:
        """One pass over the queue."""
        argv = [sys.executable, "-m", "rulesmith", "queue", "run", "--once", "--queue", str(self.folder / "queue")]
        env = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "RULESMITH_CONF": str(self.site)}
        subprocess.run(argv, check=False, env=env, capture_output=True, timeout=PATIENCE)

    def summaries(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith('{"mail"')]


class Client:
    """A connection on which everything is under control; `greet` reads what the server says first."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rb")
        self.greeting = b""

    def greet(self) -> None:
        self.greeting = self.stream.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def say(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def code(self) -> int:
        """The code of the next reply, 0 where there is none any more.

        Where the server closes with octets that it has not read, the end is a reset; all that it said comes before it.
        """
        with contextlib.suppress(ConnectionResetError):
            while line := self.stream.readline():
                if line[3:4] == b" ":
                    return int(line[:3])
        return 0

    def vanish(self, service: Service, mail: bytes) -> None:
        """Send a message and be gone before the server has seen it."""
        self.begin()
        with service.standing_still():
            self.say(wire(mail))
            self.close()

    def begin(self, name: str = NAME) -> None:
        """Everything up to the message."""
        self.say(ENVELOPE % name.encode())
        codes = [self.code() for _ in range(4)]
        assert codes == [250, 250, 250, 354], codes

    def hand(self, mail: bytes, name: str = NAME) -> int:
        self.begin(name)
        self.say(wire(mail))
        return self.code()


def children_of(pid: int) -> list[int]:
    """The oldest first; none where it is gone."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_gone(pid: int) -> bool:
    """Whether a process has ended, buried or not."""
    return _state(pid) == "Z"


def halt(pid: int) -> None:
    """Stop a process until it is told to go on; it stands still when this returns."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: _state(pid) in "TZ")


def _state(pid: int) -> str:
    """Its letter in proc(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def until(holds: object) -> None:
    """Wait for a condition."""
    assert callable(holds)
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)
