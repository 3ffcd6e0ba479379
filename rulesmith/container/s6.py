"""The supervisor, s6, as far as the keeper needs it. Its tools only send a letter each; nothing here waits."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class S6:
    """A running s6-svscan. `prefix` goes before each command."""

    def __init__(self, scan: Path, prefix: tuple[str, ...] = ()) -> None:
        self._scan = scan
        self._prefix = prefix

    def add(self, folder: Path) -> None:
        """Start a service and watch it from now on."""
        link = self._scan / folder.name
        if not link.is_symlink():
            link.symlink_to(folder)
        self._call("s6-svscanctl", "-a", self._scan)

    def drop(self, folder: Path) -> None:
        """Watch it no longer."""
        (self._scan / folder.name).unlink(missing_ok=True)
        self._call("s6-svscanctl", "-an", self._scan)

    def up(self, folder: Path) -> None:
        """Start it."""
        self._call("s6-svc", "-u", folder)

    def down(self, folder: Path) -> None:
        """Ask it to end, and do not start it again."""
        self._call("s6-svc", "-d", folder)

    def runs(self, folder: Path) -> bool:
        """Whether there is a process of this service."""
        return self._ask(folder, "up") == "true"

    def watched(self, folder: Path) -> bool:
        """Whether somebody watches it."""
        return self._run("s6-svok", folder).returncode == 0

    def _ask(self, folder: Path, field: str) -> str:
        return self._run("s6-svstat", "-o", field, folder).stdout.decode().strip()

    def _call(self, *argv: object) -> None:
        done = self._run(*argv)
        if done.returncode:
            raise OSError(done.returncode, f"{argv[0]}: {done.stderr.decode(errors='backslashreplace').strip()}")

    def _run(self, *argv: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*self._prefix, *map(str, argv)], capture_output=True, check=False, timeout=10)
