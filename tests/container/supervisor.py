"""The real s6 over a folder of the test's."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from rulesmith.container.s6 import S6
from tests.container.fetchmail import libraries
from tests.parts import supervisor_programs

PATIENCE = 120.0


def until(ask: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Ask again and again until the answer is true."""
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, f"after {seconds:g} seconds still not: {what}"
        time.sleep(0.02)


def _at_home(programs: Path, scan: Path) -> Path:
    """s6-svscan starts s6-supervise from /usr/bin; an unpacked one must find its own."""
    installed, ours = b"/usr/bin/s6-supervise\0", b".s6-svscan/supervise\0\0"
    folder = scan / ".s6-svscan"
    folder.mkdir()
    (folder / "supervise").symlink_to(programs / "s6-supervise")
    octets = (programs / "s6-svscan").read_bytes()
    assert octets.count(installed) == 1
    assert len(installed) == len(ours)
    program = folder / "s6-svscan"
    program.write_bytes(octets.replace(installed, ours))
    program.chmod(0o755)
    return program


class Supervisor:
    """A running s6-svscan; `s6` speaks with it. Raises Missing where it cannot be had."""

    def __init__(self, scan: Path) -> None:
        parts = supervisor_programs()
        prefix: tuple[str, ...] = ()
        if parts is not None:
            path = f"{parts / 'usr/bin'}:{os.environ['PATH']}"
            prefix = ("env", f"PATH={path}", f"LD_LIBRARY_PATH={libraries(parts)}")
        self.s6 = S6(scan, prefix)
        self._prefix = prefix
        self._scan = scan
        program = "s6-svscan" if parts is None else _at_home(parts / "usr/bin", scan)
        self._process = subprocess.Popen([*prefix, program, scan], stdout=subprocess.DEVNULL)
        # It makes its pipe first, and listens then.
        asked = [*prefix, "s6-svscanctl", "-a", str(scan)]
        until(lambda: not subprocess.run(asked, capture_output=True, check=False).returncode, "s6-svscan runs")

    def pid(self, folder: Path) -> int:
        """The process of a service, 0 where there is none."""
        argv = [*self._prefix, "s6-svstat", "-o", "pid", str(folder)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
        return max(0, int(said)) if said else 0

    def close(self) -> None:
        """End it, and everything that it watches."""
        subprocess.run([*self._prefix, "s6-svscanctl", "-t", self._scan], check=True)
        self._process.wait(PATIENCE)
