"""A real rspamd with its redis, on unix sockets and a loopback port, with a configuration of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.parts import PROJECT, spam_programs
from tests.ports import reserved_port

# Seconds: the first start compiles a list of domains for 17 of them; on a busy machine a hostile message keeps the one
# worker for minutes.
PATIENCE = 400
# Compiled lists, which are the same at every start: all kinds that rspamd 3.4 to 3.12 leave behind.
_COMPILED = ("*.hs", "*.hs.unser", "*.hsmc", "*.hsmp")
_SEED = PROJECT / ".cache" / "rspamd"

_CONFIG = {
    "logging.inc": 'type = "file"; filename = "{folder}/log"; level = "notice";',
    # No name server: all names fail at once, and nothing leaves the machine.
    "options.inc": 'pidfile = false; control_socket = "{folder}/control mode=0600";'
    ' dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}',
    "worker-normal.inc": 'bind_socket = "{folder}/normal mode=0666"; bind_socket = "127.0.0.1:{port}"; count = 1;',
    "worker-controller.inc": 'bind_socket = "{folder}/controller mode=0666"; secure_ip = "192.0.2.1";'
    ' bind_socket = "127.0.0.2:{port}"; password = "let me in";',
    "worker-proxy.inc": "enabled = false;",
    "worker-fuzzy.inc": "enabled = false;",
    "fuzzy_check.conf": "enabled = false;",
    "redis.conf": 'servers = "{folder}/redis";',
    "classifier-bayes.conf": 'backend = "redis"; servers = "{folder}/redis";',
}


class Rspamd:
    """Starts it; `normal` and `controller` are URLs of its workers, `port` is the scanning one's. At `closed` the
    controller wants its password, "let me in".

    `rspamc` is its client's command line, to be run in `env`.
    """

    def __init__(self, rules: Path, without: Sequence[str] = ()) -> None:
        """`rules`: Lua that is loaded beside its own; `without`: modules to leave out.

        Raises Missing where the programs cannot be had.
        """
        self._parts = spam_programs() or Path("/")
        # Not below pytest's folder: a unix socket's path may have 107 octets only.
        self.folder = Path(tempfile.mkdtemp(prefix="rspamd-"))
        self._held = contextlib.ExitStack()
        self.port = reserved_port(self._held)
        self.normal = f"unix:{self.folder}/normal"
        self.rspamc = f"{self._parts}/usr/bin/rspamc -h 127.0.0.1:{self.port}"
        self.controller = f"unix:{self.folder}/controller"
        self.closed = f"http://127.0.0.2:{self.port}"
        libraries = [*self._parts.glob("usr/lib/*-linux-gnu*"), self._parts / "usr/lib/rspamd"]
        self.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        self._running: list[subprocess.Popen[bytes]] = []
        self._lay_out(rules, without)
        self._start("redis-server", "--port", "0", "--unixsocket", str(self.folder / "redis"), "--save", "")
        self._start("rspamd", "-f", *(["-i"] if os.geteuid() == 0 else []), *self._places())
        self.wait()

    def _lay_out(self, rules: Path, without: Sequence[str]) -> None:
        local = self.folder / "etc" / "local.d"
        local.mkdir(parents=True)
        for name, text in (_CONFIG | {f"{module}.conf": "enabled = false;" for module in without}).items():
            (local / name).write_text(text.format(folder=self.folder, port=self.port))
        shutil.copy(rules, self.folder / "etc" / "rspamd.local.lua")
        (self.folder / "db").mkdir()
        for pattern in _COMPILED:
            for file in _SEED.glob(pattern):
                shutil.copy(file, self.folder / "db")

    def _places(self) -> list[str]:
        config, shared = self._parts / "etc/rspamd", self._parts / "usr/share/rspamd"
        places = {
            "CONFDIR": config,
            "LOCAL_CONFDIR": self.folder / "etc",
            "DBDIR": self.folder / "db",
            "RUNDIR": self.folder,
            "LOGDIR": self.folder,
            "SHAREDIR": shared,
            "PLUGINSDIR": shared / "plugins",
            "RULESDIR": shared / "rules",
            "LUALIBDIR": shared / "lualib",
            "WWWDIR": shared / "www",
        }
        return ["-c", str(config / "rspamd.conf"), *(f"--var={name}={path}" for name, path in places.items())]

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            self._running.append(
                subprocess.Popen(
                    [self._parts / "usr/bin" / name, *arguments],
                    env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                )
            )  # fmt: skip

    def wait(self) -> None:
        """Until it is there, and has time for the next question."""
        end = time.monotonic() + PATIENCE
        for name in ("normal", "controller"):
            path = self.folder / name
            while not path.exists():
                assert self._running[-1].poll() is None, (self.folder / "rspamd.out").read_text()
                assert time.monotonic() < end, "rspamd does not start"
                time.sleep(0.1)
            # Its main process listens long before there is a worker to answer.
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=PATIENCE) as client:
                assert client.get("http://localhost/ping").text.strip() == "pong"

    def client(self, *arguments: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run rspamc against it."""
        command = [*self.rspamc.split(), *arguments]
        return subprocess.run(command, input=stdin, env=self.env, capture_output=True, check=False, timeout=PATIENCE)

    def close(self) -> None:
        """End it, and keep what the next start need not compile again."""
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._held.close()
        if not _SEED.exists():
            fresh = Path(tempfile.mkdtemp(prefix="rspamd.", dir=_SEED.parent))
            for pattern in _COMPILED:
                for file in (self.folder / "db").glob(pattern):
                    shutil.copy(file, fresh)
            try:
                fresh.rename(_SEED)
            except OSError:
                shutil.rmtree(fresh)  # another run was here first
        shutil.rmtree(self.folder)
