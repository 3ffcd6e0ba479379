"""The real rspamd and redis inside the bed, to be stopped, killed and started again."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import signal
import socket
import time
import weakref
from collections.abc import Mapping
from pathlib import Path

from tests.chain.bed import Bed
from tests.ports import reserved_port

PATIENCE = 60.0  # seconds
_CONFIG = {
    "logging.inc": 'type = "console"; level = "warning";',
    # A short list of domains, which takes no time to compile; and no name server, so that nothing leaves the machine.
    "options.inc": 'pidfile = false; control_socket = "/run/spam/control mode=0600"; url_tld = "/config/spam/domains";'
    ' dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}',
    "worker-normal.inc": 'bind_socket = "/run/spam/normal mode=0666"; bind_socket = "127.0.0.1:{port}"; count = 1;',
    "worker-controller.inc": 'bind_socket = "/run/spam/controller mode=0666"; secure_ip = "127.0.0.1";',
    "redis.conf": 'servers = "/run/spam/redis";',
    "classifier-bayes.conf": 'backend = "redis"; servers = "/run/spam/redis";',
}
_OFF = ("worker-proxy.inc", "worker-fuzzy.inc", "fuzzy_check.conf", "ratelimit.conf", "rbl.conf",
        "surbl.conf", "dmarc.conf", "spf.conf", "dkim.conf", "dkim_signing.conf", "arc.conf", "mx_check.conf",
        "neural.conf", "asn.conf", "phishing.conf", "whitelist.conf", "mid.conf", "hfilter.conf")  # fmt: skip


class Spam:
    """`url` is what `set scan` takes; `client` is rspamc for this rspamd."""

    url = "unix:/run/spam/normal"

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        held = contextlib.ExitStack()
        self.port = reserved_port(held)
        # As long as there is one of us: what was killed is started again.
        weakref.finalize(self, held.close)
        self.client = f"rspamc -h 127.0.0.1:{self.port}"
        local = bed.folder / "config" / "spam" / "local.d"
        local.mkdir(parents=True)
        (local.parent / "domains").write_text("com\norg\nnet\n")
        for name, text in (_CONFIG | dict.fromkeys(_OFF, "enabled = false;")).items():
            (local / name).write_text(text.format(port=self.port))
        # A message can ask for points with X-Test.
        shutil.copy(Path(__file__).parents[1] / "scan" / "rules.lua", local.parent / "rspamd.local.lua")
        for name in ("spam", "spam/db"):
            (bed.folder / "run" / name).mkdir(exist_ok=True)
        for name in ("config", "run"):
            bed.own(bed.folder / name / "spam")
        self._running: dict[str, int] = {}
        self.start("redis")
        self.start("rspamd")

    def start(self, name: str) -> None:
        """Start `redis` or `rspamd`, and wait until it answers."""
        if name == "redis":
            argv = ["redis-server", "--port", "0", "--unixsocket", "/run/spam/redis", "--save", "", "--dir", "/tmp"]
        else:
            places = {"LOCAL_CONFDIR": "/config/spam", "DBDIR": "/run/spam/db", "RUNDIR": "/run/spam", "LOGDIR": "/tmp"}
            argv = ["rspamd", "-f", "-c", "/etc/rspamd/rspamd.conf", *(f"--var={n}={p}" for n, p in places.items())]
        self._running[name] = self._bed.begin(*argv)
        end = time.monotonic() + PATIENCE
        while not self.answers(name):
            if self._bed.has_ended(self._running[name]):
                # What was killed may have left children that still have its port.
                self._running[name] = self._bed.begin(*argv)
            assert time.monotonic() < end, f"{name} does not start"
            time.sleep(0.05)

    def answers(self, name: str = "rspamd") -> bool:
        path = "redis" if name == "redis" else "normal"
        question = b"PING\r\n" if name == "redis" else b"GET /ping HTTP/1.0\r\n\r\n"
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self._bed.folder / "run" / "spam" / path))
            client.sendall(question)
            return b"pong" in client.recv(1000).lower()
        return False

    def reply(self, message: bytes, fields: Mapping[str, str] | None = None) -> bytes:
        """The whole answer, HTTP and all, to somebody who has a message judged."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(client):
            client.request("POST", "/checkv2", message, dict(fields or {}))
            answer = client.getresponse()
            head = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
            return f"HTTP/1.1 {answer.status} {answer.reason}\r\n{head}\r\n".encode() + answer.read()

    def signal(self, name: str, number: int = signal.SIGKILL) -> None:
        """To `redis` or `rspamd` with all its workers; what was killed is gone when this returns."""
        self._bed.signal(self._running[name], number, group=True)
        if number == signal.SIGKILL:
            self._bed.wait(self._running[name])

    def waits_for_a_verdict(self) -> None:
        """Wait until somebody has connected to the scanning worker and waits for its answer."""
        end = time.monotonic() + PATIENCE
        while not _connected("/run/spam/normal"):
            assert time.monotonic() < end, "nobody asks rspamd"
            time.sleep(0.01)


def _connected(path: str) -> bool:
    """Whether a unix socket has a peer, by proc(5): state 03 is connected, 02 on its way."""
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        return any(line.endswith(f" {path}\n") and line.split()[5] in ("02", "03") for line in table)
