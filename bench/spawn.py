"""Starts a program and says what it took: posix_spawn and wait4, so that the measuring costs next to nothing."""

from __future__ import annotations

import os
import resource  # what wait4 answers with; once root has stepped down it may be out of reach
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A child begins with the size of who starts it, so for memory that has to be somebody small.
_SMALL = """\
import posix, sys
child = posix.posix_spawn(sys.argv[2], sys.argv[2:], posix.environ, file_actions=[
    (posix.POSIX_SPAWN_OPEN, 0, sys.argv[1], posix.O_RDONLY, 0),
    (posix.POSIX_SPAWN_OPEN, 1, "/dev/null", posix.O_WRONLY, 0),
])
_, status, used = posix.wait4(child, 0)
print(status, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds; `cpu` is user and system time of the process and all it waited for."""

    wall: float
    cpu: float


def cost(argv: Sequence[str], stdin: str, env: Mapping[str, str]) -> Cost:
    """Run a program to its end with a file as its input; anything but exit status 0 is an error."""
    files = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    start = time.perf_counter()
    child = os.posix_spawn(argv[0], list(argv), dict(env), file_actions=files)
    used: resource.struct_rusage
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status:
        raise RuntimeError(f"{argv} ended with status {os.waitstatus_to_exitcode(status)}")
    return Cost(wall * 1000, (used.ru_utime + used.ru_stime) * 1000)


def peak(python: str, argv: Sequence[str], stdin: str, env: Mapping[str, str]) -> float:
    """The most memory that a program had at once, in MiB; not less than a bare Python's, which starts it."""
    line = [python, "-I", "-S", "-c", _SMALL, stdin, *argv]
    run = subprocess.run(line, env=env, capture_output=True, text=True, check=True)
    status, kibibytes = map(int, run.stdout.split())
    if status:
        raise RuntimeError(f"{argv} ended with status {os.waitstatus_to_exitcode(status)}")
    return kibibytes / 1024
