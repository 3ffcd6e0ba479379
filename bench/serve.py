"""What the resident door takes, beside fdm 2.2: python -m bench.serve [MESSAGES]

A message of 2 KB, the last rule matches, delivery into a maildir with fsync. fdm runs two processes at a time, started
by posix_spawn, which costs less than `xargs -P2` and a shell; the server has ten clients. Client and server share the
processors. CPU is user and system time of the server, its nursery and its workers.
"""

from __future__ import annotations

import json
import os
import resource  # what wait3 answers with; once root has stepped down it may be out of reach
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import corpus, programs

RULES = (10, 1000)
FIELDS = ("From", "List-Id", "(To|Cc)", "Subject", "Sender", "X-Mailer", "Return-Path")
CLIENTS = 10
FDM_RUNS = 200
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """Messages a second; milliseconds of CPU for one; the memory at the begin and at the end."""

    rate: float
    cpu: float
    begin: str
    end: str


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    fdm = programs.fdm("2.2")
    work = Path(tempfile.mkdtemp(prefix="bench."))
    try:
        python = programs.rulesmith(work / "venv", programs.best_python()) / "python"
        shutil.copytree(fdm, work / "2.2", symlinks=True)
        program = programs.without_starter(work / "2.2")
        programs.step_down(work)
        print(f"{programs.machine()}\n")
        print("| rules | fdm 2.2, two at a time | rulesmith serve | ratio | CPU fdm / serve | memory begin → end |")
        print("|---|---|---|---|---|---|")
        for rules in RULES:
            home = _configure(work, rules)
            env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C", "RULESMITH_CONF": ""}
            theirs, cpu = _two_at_a_time([*program, "-f", f"{home}/fdm.conf", "-a", "stdin", "-m", "fetch"], work, env)
            ours = _serve(str(python), work, home.name, env, count)
            print(
                f"| {rules} | {theirs:.0f}/s | {ours.rate:.0f}/s | {ours.rate / theirs:.1f} "
                f"| {cpu:.1f} / {ours.cpu:.2f} ms | {ours.begin} → {ours.end} |",
                flush=True,
            )
        print(f"\n{count} messages by {CLIENTS} clients; the memory of so many processes, after a tenth and after all.")
    finally:
        shutil.rmtree(work)
    return 0


def _configure(work: Path, rules: int) -> Path:
    home = work / "users" / f"{rules}@example.com"
    home.mkdir(parents=True)
    conf = home / "fdm.conf"
    lines = ['account "stdin" disabled stdin']
    lines += [f'match "^{FIELDS[number % 7]}:.*summer{number}x" in headers action drop' for number in range(rules - 1)]
    conf.write_text("\n".join([*lines, f'match all action maildir "{home}/mail"', ""]))
    conf.chmod(0o600)
    os.utime(conf, (time.time() - 60, time.time() - 60))
    (work / "message").write_bytes(corpus.message(2_000))
    return home


def _two_at_a_time(argv: Sequence[str], work: Path, env: dict[str, str]) -> tuple[float, float]:
    """Runs a second, and milliseconds of CPU for each."""
    files = [
        (os.POSIX_SPAWN_OPEN, 0, str(work / "message"), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    begin, cpu, running = time.perf_counter(), 0.0, 0
    used: resource.struct_rusage
    for started in range(FDM_RUNS + 2):
        if running == 2 or started >= FDM_RUNS:
            _, status, used = os.wait3(0)
            assert status == 0, "fdm failed"
            cpu += used.ru_utime + used.ru_stime
            running -= 1
        if started < FDM_RUNS:
            os.posix_spawn(argv[0], list(argv), env, file_actions=files)
            running += 1
    return FDM_RUNS / (time.perf_counter() - begin), cpu * 1000 / FDM_RUNS


def _serve(python: str, work: Path, name: str, env: dict[str, str], count: int) -> Load:
    path = work / "socket"
    read, write = os.pipe()
    settings = {"socket": str(path), "users": str(work / "users"), "words": ["-a", "stdin", "-q"], "ready": write}
    argv = [python, "-P", "-m", "rulesmith.serve", json.dumps(settings)]
    server = subprocess.Popen(argv, env={**env, "HOME": str(work)}, pass_fds=[write], cwd=work)
    os.close(write)
    with open(read, "rb") as ready:
        assert ready.read(1), "the server does not start"
    try:
        message = corpus.message(2_000).replace(b"\n", b"\r\n") + b".\r\n"
        _load(path, name, message, count // 10)
        memory, before = _memory(server.pid), _cpu(server.pid)
        begin = time.perf_counter()
        _load(path, name, message, count)
        seconds = time.perf_counter() - begin
        return Load(count / seconds, (_cpu(server.pid) - before) * 1000 / count, memory, _memory(server.pid))
    finally:
        server.terminate()
        server.wait()


def _load(path: Path, name: str, message: bytes, count: int) -> None:
    """Hand so many messages over; in processes of their own, so that the clients do not wait for each other."""
    children = []
    for _ in range(2):
        pid = os.fork()
        if not pid:
            threads = [
                threading.Thread(target=_client, args=(path, name, message, count // CLIENTS))
                for _ in range(CLIENTS // 2)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0, "a client failed"


def _client(path: Path, name: str, message: bytes, count: int) -> None:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    envelope = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n" % name.encode()
    try:
        _expect(connection, b"220")
        connection.sendall(b"LHLO bench\r\n")
        _expect(connection, b"250 SIZE")
        for _ in range(count):
            connection.sendall(envelope)
            _expect(connection, b"354")
            connection.sendall(message)
            _expect(connection, b"250 2.0.0")
    except BaseException:
        os._exit(1)
    connection.close()


def _expect(connection: socket.socket, reply: bytes) -> None:
    said = b""
    while reply not in said or not said.endswith(b"\n"):
        got = connection.recv(65536)
        assert got, said
        said += got


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    """Seconds that a process and its descendants have taken, also those that have ended."""
    total = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def _memory(pid: int) -> str:
    """Of all processes, where each page counts once, whoever shares it."""
    total = 0
    family = _family(pid)
    for each in family:
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return f"{total / 1024:.1f} MiB in {len(family)}"


if __name__ == "__main__":
    sys.exit(main())
