"""Who is known on this machine: the one place where a name of the configuration becomes a user or group."""

from __future__ import annotations

import pwd

from rulesmith import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    User = tuple[bytes, int, int, bytes]

_UID_MAX = 0xFFFFFFFF


def find_user(name: bytes, me: User) -> User | None:
    """(name, uid, gid, home) of a user, None if there is none; a decimal uid is accepted as a name.

    The invoking user's home is what `me` says, which is $HOME with -h (fdm 2.2).
    """
    if name == me[0]:
        return me
    try:
        entry = pwd.getpwnam(environment.text_of(name))
    except (KeyError, ValueError):
        if not (name.isdigit() and len(name) < 11):
            return None
        try:
            entry = pwd.getpwuid(int(name))
        except (KeyError, OverflowError):
            return None
    found = environment.octets_of(entry.pw_name)
    return me if found == me[0] else (found, entry.pw_uid, entry.pw_gid, environment.octets_of(entry.pw_dir))


def find_group(name: bytes) -> int | None:
    """The number of a group, None if there is none."""
    import grp  # few configurations name a group

    try:
        return grp.getgrnam(environment.text_of(name)).gr_gid
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


def who(name: bytes) -> User | None:
    """(name, uid, gid, home) of a user given by name or by decimal uid, as fdm accepts it; None if unknown."""
    try:
        return _user(pwd.getpwnam(environment.text_of(name)))
    except (KeyError, ValueError):
        # ValueError: a NUL in the name.
        pass
    if not name.isdigit() or int(name[:11]) > _UID_MAX:
        return None
    return _by_uid(int(name))


def _by_uid(uid: int) -> User | None:
    try:
        return _user(pwd.getpwuid(uid))
    except (KeyError, OverflowError):
        return None


def _user(found: pwd.struct_passwd) -> User:
    return environment.octets_of(found.pw_name), found.pw_uid, found.pw_gid, environment.octets_of(found.pw_dir)
