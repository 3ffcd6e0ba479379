"""Who is who in the image, and how root reads as somebody else.

In a container that may do as little as possible, root has no right to pass over the modes of others' files. It may
still change into their owner.
"""

from __future__ import annotations

import os
import pwd
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")


class Account(NamedTuple):
    """A user's numbers."""

    uid: int
    gid: int


def account(name: str) -> Account:
    """The numbers of a user of the image."""
    entry = pwd.getpwnam(name)
    return Account(entry.pw_uid, entry.pw_gid)


@contextmanager
def acting_as(who: Account) -> Iterator[None]:
    """Do the file operations within as this user; only root can change, anybody else stays who he is."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def as_owner(path: Path, action: Callable[[], T]) -> T:
    """Root may lack the right to read what only its owner may read; it can still become him."""
    try:
        return action()
    except PermissionError:
        if os.geteuid():
            raise
        with acting_as(_owner(path)):
            return action()


def _owner(path: Path) -> Account:
    """Whom it belongs to, or the nearest folder above that can be seen."""
    for each in (path, *path.parents):
        try:
            found = each.stat()
        except PermissionError:
            continue
        return Account(found.st_uid, found.st_gid)
    raise PermissionError(path)
