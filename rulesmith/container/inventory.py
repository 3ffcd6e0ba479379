"""What an installation consists of, for its backup: the four volumes, and whose they are."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rulesmith.container.accounts import Account, account, acting_as

if TYPE_CHECKING:
    from collections.abc import Sequence

# How the folders begin that a restore makes in each volume, of what was there, and of what will be.
ASIDE, STAGING = ".before-restore-", ".restoring-"
# Locked while a server runs.
RUNNING = "running"
PARTS = ("config", "vmail", "redis", "rspamd")


class Refused(Exception):
    """A backup or a restore was not begun, or had to be given up; the text says why."""


@dataclass(frozen=True)
class Inventory:
    """Each volume by its name in the backup, with its owner.

    `dump` is a command that writes all of redis's data into a file, named as its last word; None asks nobody.
    """

    parts: dict[str, tuple[Path, Account]]
    dump: Sequence[str] | None = None

    @property
    def mail(self) -> Path:
        """The mailboxes."""
        return self.parts["vmail"][0]

    @property
    def vmail(self) -> Account:
        """Whose they are."""
        return self.parts["vmail"][1]

    @property
    def state(self) -> Path:
        """What the image itself remembers, among them."""
        return self.mail / ".rulesmith"


def running(inventory: Inventory) -> int | None:
    """Say that a server runs on these volumes, until the descriptor is closed; None where one does already.

    The lock is seen by other containers of the same machine too. Raises OSError.
    """
    with acting_as(inventory.vmail):
        if not inventory.state.is_dir():
            return os.open(inventory.mail, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        handle = os.open(inventory.state / RUNNING, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def installed() -> Inventory:
    """The container's."""
    return Inventory(
        {
            "config": (Path("/config"), Account(0, 0)),
            "vmail": (Path("/home/vmail"), account("vmail")),
            "redis": (Path("/var/lib/redis"), account("redis")),
            "rspamd": (Path("/var/lib/rspamd"), account("_rspamd")),
        },
        ("redis-cli", "--rdb"),
    )
