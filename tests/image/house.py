"""A container of the real image with its four volumes, as an installation has it, and what a test does with it.

Everything goes through tools/image, so the tests run with docker, with podman, and without either.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar
from uuid import uuid4

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "image"
VMAIL = 5000
VOLUMES = {"config": "/config", "mail": "/home/vmail", "redis": "/var/lib/redis", "rspamd": "/var/lib/rspamd"}
DAEMONS = ("redis", "rspamd", "dovecot")
# Seconds that anything may take: a machine may have other things to do. How fast it is, test_start.py measures.
PATIENCE = 300.0
# Seconds for one answer of a daemon.
ANSWER = 60.0
# What a careful administrator gives it, and no more: compose.yaml's.
CAREFUL = (
    "--read-only",
    "--security-opt=no-new-privileges",
    "--cap-drop=ALL",
    *(f"--cap-add={name}" for name in ("SETUID", "SETGID", "CHOWN", "KILL", "SYS_CHROOT", "NET_BIND_SERVICE")),
    *(f"--tmpfs={folder}" for folder in ("/run:exec", "/tmp", "/etc")),
)


class Done:
    """What came of a command."""

    def __init__(self, run: subprocess.CompletedProcess[bytes]) -> None:
        self.status, self.out, self.err = run.returncode, run.stdout, run.stderr

    @property
    def text(self) -> str:
        """What it said, on both streams."""
        return (self.out + self.err).decode(errors="replace")

    def __repr__(self) -> str:
        return f"status {self.status}: {self.text}"


def tool(*words: str | Path, stdin: bytes = b"", limit: float = 300) -> Done:
    """Run tools/image."""
    return Done(subprocess.run([TOOL, *words], input=stdin, capture_output=True, check=False, timeout=limit))


def until(ask: Callable[[], T | Literal[False, 0]], what: str) -> T:
    """Ask again and again: the first answer that is true. An error of a connection is no answer yet."""
    end = time.monotonic() + PATIENCE
    while True:
        answer: T | Literal[False, 0] | None = None
        with contextlib.suppress(OSError, EOFError, imaplib.IMAP4.error):
            answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"after {PATIENCE:g} seconds still not: {what} ({answer!r})"
        time.sleep(0.05)


class Container:
    """One installation: four folders, and the container that has them as its volumes."""

    def __init__(self) -> None:
        self.name = f"rulesmith-{uuid4().hex[:12]}"
        self.folder = Path(tempfile.mkdtemp(prefix="image-"))
        self.folder.chmod(0o755)
        for volume in VOLUMES:
            (self.folder / volume).mkdir()
        self.config = self.folder / "config"
        self.mail = self.folder / "mail"

    # --- its life

    def run(self, *options: str, command: tuple[str, ...] = (), environment: Mapping[str, str] | None = None) -> None:
        """Create and start it; `wait` says when it is ready."""
        volumes = [f"--volume={self.folder / volume}:{path}" for volume, path in VOLUMES.items()]
        variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        done = tool("run", self.name, *volumes, *variables, *options, "--", *command)
        assert done.status == 0, done

    def wait(self) -> float:
        """Until Dovecot, rspamd and redis answer; how long that took."""
        begin = time.monotonic()
        try:
            until(lambda: self.is_ready(20), "all daemons ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None
        return time.monotonic() - begin

    def is_ready(self, wait: float = 0.001) -> bool:
        """Whether every daemon has said that it answers, within that many seconds."""
        words = " ".join(f"/run/s6/{name}" for name in DAEMONS)
        return self.exec("sh", "-c", f"exec s6-svwait -U -a -t {wait * 1000:.0f} {words}").status == 0

    def create(self, *options: str, **more: Mapping[str, str]) -> float:
        """`run` and `wait`."""
        begin = time.monotonic()
        self.run(*options, **more)  # type: ignore[arg-type]
        self.wait()
        return time.monotonic() - begin

    def stop(self) -> tuple[str, float]:
        """As `docker stop` does it: the state afterwards, and how long it took.

        Who is killed, because ten seconds were not enough, has not `exited 0`.
        """
        begin = time.monotonic()
        done = tool("stop", self.name)
        assert done.status == 0, done
        return done.out.decode().strip(), time.monotonic() - begin

    def start(self) -> None:
        """Start it again after it was stopped or killed."""
        done = tool("start", self.name)
        assert done.status == 0, done

    def state(self) -> str:
        """Such as `running 0`, or `exited 1`."""
        return tool("state", self.name).out.decode().strip()

    def kill(self) -> None:
        """End it without a warning."""
        assert tool("kill", self.name).status == 0

    def remove(self) -> None:
        """The container, not its volumes; `run` makes another one with them."""
        tool("rm", self.name)

    def close(self) -> None:
        """Leave nothing behind."""
        self.remove()
        shutil.rmtree(self.folder)

    # --- what is in it

    def exec(self, *argv: str, user: str = "", stdin: bytes | None = None) -> Done:
        """Run a command inside."""
        # By number: engines look for names in an /etc that may lie in memory, and be filled later than they look.
        numbers = f"{VMAIL}:{VMAIL}" if user == "vmail" else user
        options = [*(["--user", numbers] if user else []), *(["--interactive"] if stdin is not None else [])]
        return tool("exec", *options, self.name, *argv, stdin=stdin or b"")

    def sh(self, script: str, user: str = "") -> str:
        """Run a script of the shell inside, which must end well: its output."""
        done = self.exec("sh", "-euc", script, user=user)
        assert done.status == 0, done
        return done.out.decode()

    def logs(self) -> str:
        """What the container has said."""
        return tool("logs", self.name).text

    def saw(self, words: str) -> str:
        """The first line of the log with these words, waited for."""
        return until(lambda: next((line for line in self.logs().splitlines() if words in line), ""), f"log: {words}")

    @property
    def address(self) -> str:
        """Where its ports are, seen from the machine: another host than the container's own."""
        return tool("address", self.name).out.decode().strip()

    # --- its users

    def user(self, name: str, passwd: str | None = None, rc: str | None = None, conf: str | None = None) -> Path:
        """A folder of /config/users with these files."""
        folder = self.config / "users" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in (("passwd", passwd), ("fetchmailrc", rc), ("fdm.conf", conf)):
            if text is not None:
                (folder / file).write_text(text)
        return folder

    def deliver(self, user: str, message: bytes, *options: str) -> Done:
        """Hand a message to Dovecot as fetchmail's mda does."""
        return self.exec("/usr/libexec/dovecot/deliver", "-d", user, *options, user="vmail", stdin=message)

    def login(self, user: str, password: str, ca: Path | None = None) -> imaplib.IMAP4_SSL:
        """An IMAPS session, from outside."""
        client = imaplib.IMAP4_SSL(self.address, 993, ssl_context=trusting(ca), timeout=ANSWER)
        try:
            # Not LOGIN: names and passwords may have other letters than ASCII's.
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        except BaseException:
            client.shutdown()
            raise
        return client

    def mailbox(self, user: str, password: str, folder: str = "INBOX") -> list[bytes]:
        """Every message of a folder, with LF line ends."""
        client = self.login(user, password)
        try:
            answer, _ = client.select(quoted(folder), readonly=True)
            if answer != "OK":
                return []
            _, found = client.fetch("1:*", "(BODY.PEEK[])")
            return [each[1].replace(b"\r\n", b"\n") for each in found if isinstance(each, tuple)]
        finally:
            client.logout()

    def has_user(self, user: str) -> bool:
        """Whether Dovecot takes mail for him: the keeper has seen his folder."""
        # Not as root: without its rights over files it may ask less than vmail.
        return self.exec("doveadm", "user", "--", user, user="vmail").status == 0

    def certificate(self) -> bytes:
        """What port 993 shows."""
        return ssl.get_server_certificate((self.address, 993), timeout=ANSWER).encode()


def quoted(text: str) -> str:
    """A quoted string of IMAP."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS that checks the chain against this certificate; without one it checks nothing."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    if ca is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def own(folder: Path, uid: int = VMAIL, gid: int = VMAIL) -> None:
    """Give a folder and all in it to a user of the container."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)
