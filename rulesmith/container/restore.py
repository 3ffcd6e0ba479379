"""`rulesmith restore`: an installation as a backup has it.

Nothing is changed before the whole backup has been read and compared with its list. Then each volume gets a folder with
all that is restored, and only when the last one is complete the contents change places, by renaming.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from rulesmith.container import manifest as lists
from rulesmith.container.accounts import acting_as
from rulesmith.container.inventory import ASIDE, PARTS, STAGING, Inventory, Refused
from rulesmith.container.volumes import take_over

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rulesmith.container.accounts import Account
    from rulesmith.container.manifest import Entry, Manifest

_PIECE = 1 << 20


class Restore:
    """One restore of the backup `source`; `tell` hears of the octets as they are read, twice; `say` gets sentences."""

    def __init__(
        self, source: Path, inventory: Inventory, tell: Callable[[int], None], say: Callable[[str], None]
    ) -> None:
        """Raises Damaged, OSError."""
        self._source, self._inventory, self.tell, self._say = source, inventory, tell, say
        self.manifest: Manifest = lists.read(source)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        self._staging, self._aside = STAGING + stamp, ASIDE + stamp

    def verify(self) -> None:
        """Read all of it. Raises Damaged, OSError."""
        for entry in self.manifest.entries:
            if entry.path.split("/")[0] not in PARTS:
                raise lists.Damaged(f"{entry.path}: there is no such part of an installation")
        for octets in lists.verify(self._source, self.manifest):
            self.tell(octets)

    def in_the_way(self) -> list[str]:
        """What a restore would replace that somebody may want to keep."""
        found = []
        if "config" in self._inventory.parts:
            top, owner = self._inventory.parts["config"]
            with acting_as(owner):
                found += [str(top / name) for name in _contents(top)]
        with acting_as(self._inventory.vmail):
            mail, queue = self._inventory.mail, self._inventory.state / "queue"
            found += [str(mail / name) for name in _contents(mail) if name != self._inventory.state.name]
            if queue.is_dir():
                found += [str(queue / name) for name in _contents(queue) if name.endswith((".mail", ".taken"))]
        return sorted(found)

    def run(self, keep: bool) -> list[Path]:
        """Do it; with `keep`, what was there before stays in folders of its own, whose paths are returned.

        Raises OSError, and everything is as it was; Refused, where it cannot be.
        """
        parts = self._inventory.parts
        for part, (top, owner) in parts.items():
            # A volume that no start of a container has seen yet is not its user's. /config stays whose it is.
            if part != "config":
                take_over(top, owner, self._say)
        try:
            for part, (top, owner) in parts.items():
                with acting_as(owner):
                    (top / self._staging).mkdir(mode=0o700)
                self._fill(part, top / self._staging, owner)
            os.sync()
        except BaseException:
            for top, owner in parts.values():
                with acting_as(owner):
                    shutil.rmtree(top / self._staging, ignore_errors=True)
            raise
        left = []
        for top, owner in parts.values():
            try:
                with acting_as(owner):
                    if self._exchange(top) and keep:
                        left.append(top / self._aside)
                    else:
                        shutil.rmtree(top / self._aside, ignore_errors=True)
            except OSError as error:
                raise Refused(
                    f"restored in part only: {error}. In each volume {self._aside} is what was there, and "
                    f"{self._staging} what is still missing"
                ) from None
        os.sync()
        return left

    def _fill(self, part: str, folder: Path, owner: Account) -> None:
        """Write one volume's files, by its owner."""
        mine = [entry for entry in self.manifest.entries if entry.path.startswith(part + "/")]
        for entry in mine:
            target = folder / entry.path.removeprefix(part + "/")
            if entry.kind == "file":
                self._file(entry, target, owner)
                continue
            with acting_as(owner):
                if entry.kind == "folder":
                    target.mkdir(mode=0o700)
                else:
                    target.symlink_to(entry.target)
        with acting_as(owner):
            # Last, and from within: what cannot be written to is full by then.
            for entry in reversed(mine):
                target = folder / entry.path.removeprefix(part + "/")
                if entry.kind != "link":
                    target.chmod(entry.mode)
                    os.utime(target, ns=(entry.mtime, entry.mtime))

    def _file(self, entry: Entry, target: Path, owner: Account) -> None:
        with (self._source / entry.path).open("rb") as source:
            with acting_as(owner):
                handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as out:
                while piece := source.read(_PIECE):
                    out.write(piece)
                    self.tell(len(piece))
                if out.tell() != entry.size:
                    raise lists.Damaged(f"{self._source / entry.path} has changed while it was restored")

    def _exchange(self, top: Path) -> bool:
        """Put what was there aside, and what was restored in its place; whether anything was there."""
        before = _contents(top)
        if before:
            (top / self._aside).mkdir(mode=0o700)
        for name in before:
            (top / name).rename(top / self._aside / name)
        for name in os.listdir(top / self._staging):
            (top / self._staging / name).rename(top / name)
        (top / self._staging).rmdir()
        return bool(before)


def _contents(top: Path) -> list[str]:
    """What is in a volume, but for what earlier restores have left."""
    if not top.is_dir():
        return []
    return sorted(name for name in os.listdir(top) if not name.startswith((ASIDE, STAGING)) and name != "lost+found")
