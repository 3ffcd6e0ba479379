"""Whose rules a recipient's mail goes through."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.lmtp.address import may_be_a_file, names

if TYPE_CHECKING:
    from rulesmith.serve.settings import Settings

_LONGEST = 4096


class Recipient(NamedTuple):
    """`who` is the same for addresses that mean the same: one message for them is one run of the rules.

    `folder` is where the run happens, and `variables` what its environment has besides the server's. `lock` is an open
    file, to be closed when the client has heard what became of the message; -1 for none.
    """

    who: str
    folder: str
    variables: dict[str, str]
    config: str
    lock: int = -1


def look_up(settings: Settings, address: bytes) -> Recipient | None:
    """Whom an address means; None where there is nobody of the name, or not yet."""
    if settings.recipients is not None:
        return _listed(settings.recipients, settings.config, address)
    if settings.users is None:
        told = os.fsdecode(address)
        # With one configuration for all nothing else says whom the message is for.
        return Recipient(told, os.getcwd(), {"RECIPIENT": told}, os.path.abspath(settings.config))
    for each in names(address, os.fsencode(settings.delimiter)):
        name = os.fsdecode(each)
        home = os.path.join(settings.users, name)
        config = os.path.join(home, settings.config)
        if os.path.isfile(config):
            return Recipient(name, home, {"HOME": home}, config)
    return None


def _listed(recipients: str, config: str, address: bytes) -> Recipient | None:
    """By the file of exactly this name, which holds the path of the user's folder.

    It is locked, shared, from here to the answer: whoever takes the file away and then gets the lock for himself knows
    that no message for this recipient is under way, and that none will be.
    """
    if not may_be_a_file(address):
        return None
    try:
        lock = os.open(os.path.join(os.fsencode(recipients), address), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        home = os.fsdecode(os.read(lock, _LONGEST).rstrip(b"\n"))
    except OSError:
        # Somebody waits for the end, or the file is no file.
        home = ""
    path = os.path.join(home, config)
    if home and os.path.isfile(path):
        return Recipient(home, home, {"HOME": home}, path, lock)
    os.close(lock)
    return None
