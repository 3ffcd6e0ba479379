"""The machine that a configuration is read on."""

from __future__ import annotations

import os
import stat as modes
import time
from typing import TYPE_CHECKING

from rulesmith.compiler.environment import Environment
from rulesmith.delivery import people
from rulesmith.syntax.world import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rulesmith.compiler.facts import Stat, User

# Seconds a `$( )` command may take; `set timeout` does not apply to it (as in fdm).
_COMMAND_SECONDS = 900
# A file changed so shortly before it was read may change again without its times showing it. Clocks of file
# systems tick every few milliseconds; some keep whole seconds only.
_TICK_NS = 50_000_000
_COARSE_TICK_NS = 2_000_000_000


class Machine(Environment):
    """This machine, now. `run_commands` says whether `$( )` and `%( )` may be run: only where fdm would."""

    def __init__(
        self,
        path: str,
        me: User,
        *,
        run_commands: bool = False,
        default_user: bytes | None = None,
        macros: Mapping[str, str | int] | None = None,
        site: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        hostname = os.fsencode(os.uname().nodename)
        super().__init__(
            path,
            me,
            hostname,
            int(time.time()),
            default_user=default_user,
            macros=macros,
            site=site,
            on_warning=on_warning,
        )
        self.run_commands = run_commands

    def open(self, path: bytes) -> tuple[bytes, Stat, int, str | None]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                before = os.fstat(descriptor)
                content = b"" if modes.S_ISDIR(before.st_mode) else _read(descriptor)
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
        except ValueError as error:  # a NUL in the path
            raise OSError(22, str(error), path) from None
        stamp = _stamp(before)
        return content, stamp, before.st_mode, _unstable(path, before, stamp == _stamp(after))

    def run(self, command: str, name: str) -> str | None:
        self.commands.append(command)
        self.facts.unstable = "it runs shell commands"
        if not self.run_commands:
            return None
        import subprocess  # most configurations run nothing

        try:
            done = subprocess.run(
                ["/bin/sh", "-c", os.fsencode(command)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandError(f"{command}: Connection timed out") from None
        except (OSError, ValueError) as error:
            raise CommandError(f"{command}: {error}") from None
        for line in done.stderr.decode("utf-8", "surrogateescape").splitlines():
            self.warn(f"{name}: {command}: {line}")
        if done.returncode < 0:
            raise CommandError(f"{command}: child got signal: {-done.returncode}")
        if done.returncode:
            raise CommandError(f"{command}: command returned {done.returncode}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def find_user(self, name: bytes) -> User | None:
        return people.find_user(name, self.me)

    def find_group(self, name: bytes) -> int | None:
        return people.find_group(name)

    def find_gid(self, gid: int) -> bool:
        return people.has_gid(gid)

    def find_umask(self) -> int:
        mask = os.umask(0o077)
        os.umask(mask)
        return mask


def _read(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def _stamp(status: os.stat_result) -> Stat:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _unstable(path: bytes, status: os.stat_result, same: bool) -> str | None:
    """Why the stamp does not prove what was read: the file changed meanwhile, or may yet in the same tick."""
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    tick = _TICK_NS if status.st_ctime_ns % 1_000_000_000 else _COARSE_TICK_NS
    if not modes.S_ISREG(status.st_mode) and not modes.S_ISDIR(status.st_mode):
        return f"{os.fsdecode(path)} is not a regular file"
    if same and time.time_ns() - newest > tick:
        return None
    return f"{os.fsdecode(path)} has changed just now"
