"""The volumes, as an older image may have left them: their files get the owners they have here.

A folder that is not done yet belongs to root, one that is done to its owner, and its contents are always done before
it. So a start that was interrupted is continued by the next one, and what is done is not looked through again.
"""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

from rulesmith.container.accounts import acting_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rulesmith.container.accounts import Account

# How deep a start looks for something of another owner, in folders that are done: /home/vmail/NAME/Maildir.
_LOOK = 3
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Counted:
    """What was taken over."""

    def __init__(self) -> None:
        self.files = 0
        self.owners: set[int] = set()


def take_over(top: Path, owner: Account, say: Callable[[str], None]) -> None:
    """Give a volume and everything in it to its user here; nobody else may look into it.

    Needs no right but that of changing owners. Links are given away as links, and never followed.
    """
    counted = _Counted()
    try:
        top.mkdir(parents=True, exist_ok=True)
        parent = os.open(top.parent, _FOLDER)
        try:
            _give(parent, top.name, owner, _LOOK, counted)
            _closed(parent, top.name, owner)
        finally:
            os.close(parent)
    except OSError as error:
        say(f"{top}: its files cannot be given to user {owner.uid}: {error.strerror}")
    if counted.files:
        before = ", ".join(map(str, sorted(counted.owners)))
        say(f"{top}: took over {counted.files} files and folders (they belonged to user {before})")


def state(folder: Path, owner: Account) -> None:
    """The folder for what the image itself has to remember, in a volume that every installation has."""
    with acting_as(owner):
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("fetchmail", "last-good", "tls"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)


def seed(archive: Path, folder: Path, owner: Account) -> None:
    """Give rspamd the patterns that were compiled when the image was made, once for each image."""
    found = archive.stat()
    mark = f"{found.st_size} {found.st_mtime_ns}\n"
    seeded = folder / ".seeded"
    with acting_as(owner):
        if seeded.exists() and seeded.read_text() == mark:
            return
    root = os.geteuid() == 0
    subprocess.run(
        ["tar", "--extract", "--gzip", "--skip-old-files", "--no-same-owner", "--file", archive, "--directory", folder],
        check=True,
        user=owner.uid if root else None,
        group=owner.gid if root else None,
        extra_groups=[] if root else None,
    )
    with acting_as(owner):
        seeded.write_text(mark)


def _give(parent: int, name: str, owner: Account, look: int, counted: _Counted) -> None:
    """One entry of a folder that is open and root's."""
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    done = (found.st_uid, found.st_gid) == owner
    if not stat.S_ISDIR(found.st_mode):
        if not done:
            os.chown(name, *owner, dir_fd=parent, follow_symlinks=False)
            _count(counted, found)
        return
    if done:
        with acting_as(owner):
            if not _foreign(parent, name, owner, look):
                return
    # Root's while it is worked on: then no other right is needed, and an interruption shows.
    os.chown(name, os.geteuid(), -1, dir_fd=parent, follow_symlinks=False)
    if found.st_mode & 0o700 != 0o700:
        os.chmod(name, stat.S_IMODE(found.st_mode) | 0o700, dir_fd=parent)
    handle = os.open(name, _FOLDER, dir_fd=parent)
    try:
        for each in os.listdir(handle):
            _give(handle, each, owner, look - 1 if done else 0, counted)
        os.fchown(handle, *owner)
    finally:
        os.close(handle)
    # The folder of the volume itself comes from the engine.
    if not done and look < _LOOK:
        _count(counted, found)


def _foreign(parent: int, name: str, owner: Account, look: int) -> bool:
    """Whether this is somebody else's, or a folder with something of somebody else in it, as deep as `look` says.

    To be asked as the owner: root may have no right to look into his folders.
    """
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if (found.st_uid, found.st_gid) != owner:
        return True
    if not look or not stat.S_ISDIR(found.st_mode):
        return False
    handle = os.open(name, _FOLDER, dir_fd=parent)
    try:
        return any(_foreign(handle, each, owner, look - 1) for each in os.listdir(handle))
    finally:
        os.close(handle)


def _count(counted: _Counted, found: os.stat_result) -> None:
    counted.files += 1
    counted.owners.add(found.st_uid)


def _closed(parent: int, name: str, owner: Account) -> None:
    """Take the rights of group and others from the volume's own folder."""
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if found.st_mode & 0o077:
        with acting_as(owner):
            os.chmod(name, 0o700, dir_fd=parent)
