"""What `rulesmith check --online` sees of this machine. It looks; it never changes or delivers anything."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from functools import cache

from rulesmith.cli import doveconf

_SECONDS = 10


class MachineView:
    """Answers the checks of `--online` (lint/system.py) for the user who would deliver."""

    def __init__(self, me: tuple[bytes, int, int, bytes]) -> None:
        self.me = me

    def program(self, name: str) -> bool | None:
        return shutil.which(name) is not None

    def folder(self, path: bytes) -> bool | None:
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)
        except FileNotFoundError:
            return False
        except OSError:  # not ours to see
            return None

    def writable(self, path: bytes) -> bool | None:
        return os.access(path, os.W_OK | os.X_OK) if os.geteuid() == self.me[1] else None

    def mail_user(self, name: str) -> bool | None:
        return _doveadm("user", "-u", name)

    def mailbox(self, user: str, name: str) -> bool | None:
        return _doveadm("mailbox", "status", "-u", user, "messages", name)

    def socket(self, path: bytes) -> bool | None:
        try:
            return stat.S_ISSOCK(os.stat(path).st_mode)
        except FileNotFoundError:
            return False
        except OSError:  # not ours to see
            return None

    def delivers_alike(self) -> bool | None:
        return doveconf.delivers_alike()

    def divides_names(self) -> bool | None:
        return doveconf.divides_names()

    def has_folders(self) -> bool | None:
        return doveconf.has_folders()


@cache
def _doveadm(*words: str) -> bool | None:
    """Whether doveadm says yes. Only 67 (no such user) and 68 (no such mailbox) are a no."""
    program = shutil.which("doveadm")
    if program is None:
        return None
    try:
        done = subprocess.run([program, *words], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return True if done.returncode == 0 else False if done.returncode in (67, 68) else None
