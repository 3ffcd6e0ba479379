"""Each daemon is asked in its own protocol whether it works; nothing is stored and nobody logs in."""

from __future__ import annotations

import os
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that a daemon has for one answer; a busy one answers late, a dead one not at all.
PATIENCE = 5.0
# Seconds after its last sign of life that a service of ours counts as stuck.
STALE = 60.0
# No user can be called so: Dovecot has to look into its list to say that.
_NOBODY = "#nobody"


@dataclass(frozen=True)
class Doors:
    """Where the daemons listen; tests have daemons of their own."""

    imap: tuple[str, int] = ("127.0.0.1", 143)
    imaps: tuple[str, int] = ("127.0.0.1", 993)
    userdb: Path = Path("/run/dovecot/auth-userdb")
    lmtp: Path = Path("/run/dovecot/lmtp")
    rspamd: Path = Path("/run/rspamd/normal.sock")
    redis: Path = Path("/run/redis/redis.sock")
    processes: Path = Path("/proc")
    heartbeat: Path = Path("/run/health/clerk")
    serve: Path = Path("/run/serve/lmtp")


class NoAnswer(Exception):
    """A daemon does not answer as it should; the text says how."""


def imap(address: tuple[str, int], tls: bool, patience: float = PATIENCE) -> None:
    """Dovecot greets, under TLS if asked for. Raises NoAnswer."""
    try:
        with socket.create_connection(address, patience) as plain:
            link: socket.socket = plain
            if tls:
                # Whose name the certificate bears is a matter between Dovecot and the mail programs.
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                link = context.wrap_socket(plain)
            with link:
                _expect(link, b"* OK", b"", b"a LOGOUT\r\n")
    except OSError as error:
        raise NoAnswer(f"port {address[1]}: {_words(error)}") from None


def delivery(userdb: Path, lmtp: Path, patience: float = PATIENCE) -> None:
    """Dovecot takes deliveries: it knows its users, which `deliver` asks for, and greets for LMTP. Raises NoAnswer."""
    try:
        with _connected(userdb, patience) as link:
            greeting = _talk(link, b"", lambda got: b"\n" in got).partition(b"\n")[0]
            if not greeting.startswith(b"VERSION\t"):
                raise NoAnswer("the list of users cannot be asked")
            # The versions of Dovecot write their protocol's version in two ways: it gets back what it has said.
            question = greeting + f"\nUSER\t1\t{_NOBODY}\tservice=lda\n".encode()
            if b"FAIL\t1" in _talk(link, question, _answers):
                raise NoAnswer("the list of users cannot be read")
        with _connected(lmtp, patience) as link:
            _expect(link, b"220 ", b"", b"QUIT\r\n")
    except OSError as error:
        raise NoAnswer(f"delivery: {_words(error)}") from None


def _answers(got: bytes) -> bool:
    """Whether the answer to question 1 is among the lines."""
    return any(line.split(b"\t")[1:2] == [b"1"] and line[:7] != b"VERSION" for line in got.split(b"\n")[:-1])


def rspamd(path: Path, patience: float = PATIENCE) -> None:
    """rspamd answers a ping on the socket where messages are scanned. Raises NoAnswer."""
    try:
        with _connected(path, patience) as link:
            answer = _talk(link, b"GET /ping HTTP/1.0\r\n\r\n", lambda got: b"pong" in got)
            if not (answer.startswith(b"HTTP/1.") and b" 200 " in answer[:16] and b"pong" in answer):
                raise NoAnswer("it answers, but not as rspamd does")
    except OSError as error:
        raise NoAnswer(_words(error)) from None


def redis(path: Path, patience: float = PATIENCE) -> None:
    """redis answers a ping; while it loads its data it does not. Raises NoAnswer."""
    try:
        with _connected(path, patience) as link:
            answer = _talk(link, b"PING\r\n", lambda got: b"\r\n" in got)
            if not answer.startswith(b"+PONG"):
                said = answer.decode("ascii", "replace").strip().lstrip("-")
                raise NoAnswer(said or "it answers, but not as redis does")
    except OSError as error:
        raise NoAnswer(_words(error)) from None


def process(words: tuple[str, ...], processes: Path) -> None:
    """A process runs whose command line has these words one after the other. Raises NoAnswer."""
    wanted = [word.encode() for word in words]
    for entry in os.listdir(processes):
        if not entry.isdigit():
            continue
        try:
            line = (processes / entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            # It has ended since.
            continue
        if any(line[at : at + len(wanted)] == wanted for at in range(len(line))):
            return
    raise NoAnswer("it does not run")


def heartbeat(path: Path, now: float | None = None) -> None:
    """A service of ours has shown lately that it lives. Raises NoAnswer."""
    try:
        age = (time.time() if now is None else now) - path.stat().st_mtime
    except OSError:
        raise NoAnswer("it does not run") from None
    if age > STALE:
        raise NoAnswer(f"no sign of life for {age:.0f} seconds")


def serve(path: Path, patience: float = PATIENCE) -> None:
    """`rulesmith serve` takes messages. Raises NoAnswer."""
    try:
        with _connected(path, patience) as link:
            _expect(link, b"220 ", b"", b"QUIT\r\n")
    except OSError as error:
        raise NoAnswer(_words(error)) from None


def ask(doors: Doors, by_lmtp: bool = False) -> dict[str, str]:
    """Each daemon, and what is wrong with it: "" for nothing. `by_lmtp`: fetchmail hands over to `serve`."""
    return {name: _said(check) for name, check in _checks(doors, by_lmtp).items()}


def _checks(doors: Doors, by_lmtp: bool) -> dict[str, Callable[[], None]]:
    def dovecot() -> None:
        imap(doors.imap, tls=False)
        imap(doors.imaps, tls=True)
        delivery(doors.userdb, doors.lmtp)

    return {
        "dovecot": dovecot,
        **({"serve": lambda: serve(doors.serve)} if by_lmtp else {}),
        "rspamd": lambda: rspamd(doors.rspamd),
        "redis": lambda: redis(doors.redis),
        "queue": lambda: process(("queue", "run"), doors.processes),
        "keeper": lambda: process(("-m", "rulesmith.container.keeper"), doors.processes),
        "learner": lambda: process(("-m", "rulesmith.container.learning"), doors.processes),
        "clerk": lambda: heartbeat(doors.heartbeat),
    }


def _said(check: Callable[[], None]) -> str:
    try:
        check()
    except NoAnswer as reason:
        return str(reason)
    return ""


def ready(doors: Doors, by_lmtp: bool = False, patience: float = 1.0) -> str:
    """What mail that is fetched now would lack: "" when rspamd answers and Dovecot, or `serve`, accepts a delivery."""
    for name, check in (
        *((("rulesmith serve", lambda: serve(doors.serve, patience)),) if by_lmtp else ()),
        ("rspamd", lambda: rspamd(doors.rspamd, patience)),
        ("Dovecot", lambda: delivery(doors.userdb, doors.lmtp, patience)),
    ):
        reason = _said(check)
        if reason:
            return f"{name}: {reason}"
    return ""


def _connected(path: Path, patience: float) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(patience)
    try:
        link.connect(str(path))
    except BaseException:
        link.close()
        raise
    return link


def _talk(link: socket.socket, question: bytes, enough: Callable[[bytes], bool]) -> bytes:
    """What is answered to a question, until it is enough, the other side ends, or the patience does."""
    end = time.monotonic() + (link.gettimeout() or PATIENCE)
    if question:
        link.sendall(question)
    got = b""
    while not enough(got) and len(got) < 65536:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        link.settimeout(left)
        block = link.recv(4096)
        if not block:
            break
        got += block
    return got


def _expect(link: socket.socket, greeting: bytes, question: bytes, farewell: bytes) -> None:
    got = _talk(link, question, lambda got: b"\n" in got)
    if not got.startswith(greeting):
        raise NoAnswer("it answers, but not as it should: " + got[:80].decode("ascii", "replace").strip())
    link.sendall(farewell)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or str(error)
