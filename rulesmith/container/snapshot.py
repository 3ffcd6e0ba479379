"""The messages of all mailboxes at one moment, while mail arrives and is moved.

A message that is moved from one folder to another while the folders are read one after the other may be seen in
neither. So all folders are read again until nothing has changed in any of them meanwhile, which their times tell. Each
message that is seen gets a second name in a folder of ours: there it stays as it is until it is copied. A maildir's
file is written once and never changed, so a name is all it takes. Dovecot moves by giving another name too, so the
inode tells which message it is.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PARTS = ("new", "cur")
# So often at most are the folders read; on a server where something changes all the time, what any of the readings
# saw is taken.
_ROUNDS = 40
# Nanoseconds: a folder that was changed later than this before a reading may change again and keep its time, since
# the clock of file systems is a coarse one.
_COARSE = 20_000_000
_PAUSE = 0.025

Key = tuple[int, int]


class Snapshot:
    """Messages below `top`, held in `store`, a folder on the same file system.

    `paths` has, for each message as it lies in `store`, where it belongs, relative to `top`: more than one folder if
    it is in more than one.
    """

    def __init__(self, top: Path, store: Path) -> None:
        """Raises OSError."""
        self._top, self._store = top, store
        self._held: dict[Key, Path] = {}
        self._seen: dict[Key, list[Path]] = {}
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir(mode=0o700)

    @property
    def paths(self) -> Iterator[tuple[Path, list[Path]]]:
        """What lies in the store, and where it belongs."""
        for key, where in self._seen.items():
            yield self._held[key], where

    def take(self, before: Callable[[], None]) -> bool:
        """Read until it is all of one moment; `before` is called before each reading. False: it never was.

        Raises OSError.
        """
        for _ in range(_ROUNDS):
            start = time.time_ns()
            before()
            times = self._times()
            found = self._read()
            still = self._times() == times and all(at < start - _COARSE for at in times.values())
            complete = self._hold(found)
            if still and complete:
                # What was seen before and is gone now has been thrown away.
                self._seen = {key: where for key, where in self._seen.items() if key in found}
                return True
            time.sleep(_PAUSE)
        return False

    def close(self) -> None:
        """Let go of the messages."""
        shutil.rmtree(self._store)

    def _folders(self) -> list[Path]:
        return sorted(folder / part for folder in maildirs(self._top) for part in _PARTS)

    def _times(self) -> dict[Path, int]:
        times = {}
        for folder in self._folders():
            try:
                times[folder] = folder.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return times

    def _read(self) -> dict[Key, list[Path]]:
        found: dict[Key, list[Path]] = {}
        for folder in self._folders():
            try:
                device = folder.stat().st_dev
                entries = _entries(folder)
            except FileNotFoundError:
                continue
            for name, inode in entries:
                if name[0] != ".":
                    found.setdefault((device, inode), []).append(folder / name)
        return found

    def _hold(self, found: dict[Key, list[Path]]) -> bool:
        """Give each message its second name; whether all were still there."""
        complete = True
        for key, paths in found.items():
            if key in self._held:
                self._seen[key] = paths
                continue
            target = self._store / str(len(self._held))
            try:
                copied = _link(paths[0], target)
            except FileNotFoundError:
                complete = False
                continue
            if copied or target.lstat().st_ino == key[1]:
                self._held[key], self._seen[key] = target, paths
            else:
                # Another message has taken that name meanwhile.
                target.unlink()
                complete = False
        return complete


def maildirs(top: Path) -> Iterator[Path]:
    """All maildirs below a folder, of Maildir++ and nested ones; not those in folders of the image's own."""
    for folder, names, _ in os.walk(top):
        if "cur" in names and "new" in names:
            yield Path(folder)
        names[:] = [
            name
            for name in names
            if name not in ("cur", "new", "tmp") and not (Path(folder) == top and name.startswith("."))
        ]


def _entries(folder: Path) -> list[tuple[str, int]]:
    """Names and inodes."""
    with os.scandir(folder) as found:
        return [(entry.name, entry.inode()) for entry in found]


def _link(path: Path, target: Path) -> bool:
    """Give a file a second name; True where it had to be copied. Raises OSError."""
    try:
        os.link(path, target, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        # A mailbox on a file system of its own, or one that has no links.
        shutil.copy2(path, target, follow_symlinks=False)
        return True
    return False
