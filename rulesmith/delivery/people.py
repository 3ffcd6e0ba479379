"""Who is known on this machine: the one place where a name of the configuration becomes a user or group."""

from __future__ import annotations

import os
import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    User = tuple[bytes, int, int, bytes]


def find_user(name: bytes, me: User) -> User | None:
    """(name, uid, gid, home) of a user, None if there is none; a decimal uid is accepted as a name.

    The invoking user's home is what `me` says, which is $HOME with -h (fdm 2.2).
    """
    if name == me[0]:
        return me
    try:
        entry = pwd.getpwnam(os.fsdecode(name))
    except (KeyError, ValueError):
        if not (name.isdigit() and len(name) < 11):
            return None
        try:
            entry = pwd.getpwuid(int(name))
        except (KeyError, OverflowError):
            return None
    found = os.fsencode(entry.pw_name)
    return me if found == me[0] else (found, entry.pw_uid, entry.pw_gid, os.fsencode(entry.pw_dir))


def find_group(name: bytes) -> int | None:
    """The number of a group, None if there is none."""
    import grp  # few configurations name a group

    try:
        return grp.getgrnam(os.fsdecode(name)).gr_gid
    except (KeyError, ValueError):
        return None


def has_gid(gid: int) -> bool:
    """Whether a group has this number."""
    import grp  # few configurations name a group

    try:
        grp.getgrgid(gid)
    except (KeyError, OverflowError):
        return False
    return True
