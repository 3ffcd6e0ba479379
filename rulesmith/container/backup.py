"""`rulesmith backup`: all that an installation is, while it runs, in a folder that is complete or says it is not.

The order is that of safety. What says "this message is somewhere else already" is copied before the place it would be
in: what fetchmail has fetched, then the journal, then the queue, then the mailboxes. So a message on its way is in the
backup at least once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import time
from contextlib import AbstractContextManager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from rulesmith import __version__
from rulesmith.container.accounts import acting_as
from rulesmith.container.inventory import ASIDE, RUNNING, STAGING, Inventory, Refused
from rulesmith.container.manifest import Entry, Manifest
from rulesmith.container.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

PARTIAL = ".partial"
_PIECE = 1 << 20
# What Dovecot makes anew, faster than it could repair a copy of half a change.
_OF_MAILDIRS = ("dovecot.index*", "dovecot.list.index*", "dovecot.mailbox.log*")
_OF_NOBODY = ("*.lock", ".temp.*", ".nfs*")
# rspamd's compiled patterns: they fit one version on one kind of processor.
_COMPILED = ("*.hs", "*.hsmc", "*.hsmp", "*.unser", ".seeded", "*.lock", "*.shm")
# Tries and seconds to copy a file that is being written, to wait for a message that is being delivered.
_TRIES, _PAUSE, _BUSY = 10, 0.05, 5.0


class Backup:
    """One backup into `target`; `tell` hears how many files it has."""

    def __init__(self, target: Path, volumes: Inventory, tell: Callable[[int], None]) -> None:
        """Raises Refused."""
        self._target, self._volumes, self._tell = target, volumes, tell
        self._partial = target.with_name(target.name + PARTIAL)
        self.manifest = Manifest(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), __version__)
        self.mailboxes = self.messages = self.waiting = 0
        self._queued: dict[str, list[str]] = {}
        # False where mail came and went all the time: then what was seen at any moment was taken.
        self.of_one_moment = True
        for folder, _ in volumes.parts.values():
            if target == folder or folder in target.parents:
                raise Refused(f"{target} lies in {folder}, which is backed up: name a folder elsewhere")
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Refused(f"{target} exists already")

    def make(self) -> None:
        """All of it. Raises Refused, OSError; then nothing is left but what was there before."""
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(mode=0o700, parents=True)
        try:
            for part in self._volumes.parts:
                self._folder(Path(part), 0o700, time.time_ns())
            self._config()
            self._mail()
            self._redis()
            self._tree("rspamd", Path(), lambda path: any(fnmatch(path.name, each) for each in _COMPILED))
            # What is read back from the disk is there to stay; only then the list, and only then the name.
            os.sync()
            self.manifest.write(self._partial)
            with suppress(FileNotFoundError):
                self._target.rmdir()
            self._partial.rename(self._target)
            _sync(self._target.parent)
        except BaseException:
            shutil.rmtree(self._partial, ignore_errors=True)
            raise

    # --- the parts

    def _config(self) -> None:
        self._tree("config", Path(), lambda _path: False)

    def _mail(self) -> None:
        state, mail = self._volumes.state, self._volumes.mail
        relative = state.relative_to(mail)
        with self._as_vmail():
            known = state.is_dir()
            others = set(os.listdir(state)) if known else set()
        if known:
            self._entry("vmail", relative)
        for name in ("fetchmail", "journal"):
            self._tree("vmail", relative / name)
        self._queue(relative / "queue")
        for name in sorted(others - {"fetchmail", "journal", "queue", "snapshot", RUNNING}):
            self._tree("vmail", relative / name)
        left: set[str] = set()

        def look() -> None:
            left.clear()
            left.update(name.rpartition(".")[0] for name in _names(state / "queue"))

        with self._as_vmail():
            snapshot = Snapshot(mail, state / "snapshot" if known else mail / ".snapshot")
        try:
            with self._as_vmail():
                self.of_one_moment = snapshot.take(look)
            # A message that had left the queue before the mailboxes were read is in them.
            self._forget(relative / "queue", left)
            self._messages(snapshot)
        finally:
            with self._as_vmail():
                snapshot.close()
        # After the messages: the numbers that Dovecot has given since are not given again.
        self._tree("vmail", Path(), self._not_of_mailboxes)

    def _messages(self, snapshot: Snapshot) -> None:
        for held, paths in snapshot.paths:
            self.messages += len(paths)
            for path in paths:
                relative = path.relative_to(self._volumes.mail)
                for parent in reversed(list(relative.parents)[:-1]):
                    self._parent(parent)
                self._file("vmail", relative, held)

    def _not_of_mailboxes(self, path: Path) -> bool:
        """What the last look through the mail does not copy: it is done, or will be made anew."""
        mail = self._volumes.mail
        if path.parent == mail and path.name.startswith("."):
            return True
        name = path.name
        if path.parent == mail and path.is_dir():
            self.mailboxes += 1
        if any(fnmatch(name, each) for each in _OF_NOBODY):
            return True
        in_maildir = (path.parent / "cur").is_dir() and (path.parent / "new").is_dir()
        if in_maildir and any(fnmatch(name, each) for each in _OF_MAILDIRS):
            return True
        # Messages; and halves of them.
        box = path.parent.parent
        return path.parent.name in ("new", "cur", "tmp") and (box / "cur").is_dir() and (box / "new").is_dir()

    def _queue(self, relative: Path) -> None:
        """Each message of the queue while nobody works on it."""
        with self._as_vmail():
            names = _names(self._volumes.mail / relative)
        if names:
            self._entry("vmail", relative)
        for name in sorted(names):
            stem, _, kind = name.rpartition(".")
            if kind in ("mail", "taken"):
                self._message_of_queue(relative, stem, name)
            elif kind != "progress":
                self._tree("vmail", relative / name)

    def _message_of_queue(self, relative: Path, stem: str, name: str) -> None:
        """A message and how far it has come, locked; where it is busy for long, as it is.

        Its progress comes first: a delivery that is made in between is repeated after a restore, and not left out.
        """
        path = self._volumes.mail / relative / name
        with self._as_vmail():
            try:
                handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                # It has been delivered meanwhile, or is called `mail` now.
                if name.endswith(".mail") or not path.with_name(f"{stem}.mail").exists():
                    return
                name = f"{stem}.mail"
                handle = os.open(path.with_name(name), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _lock(handle)
            self._queued[stem] = [f"{stem}.progress", name]
            for file in self._queued[stem]:
                self._tree("vmail", relative / file)
        finally:
            os.close(handle)

    def _redis(self) -> None:
        """All keys as of one moment, from redis itself; where it does not run, its files."""
        command = self._volumes.dump
        target = self._partial / "redis" / "dump.rdb"
        if command:
            with suppress(FileNotFoundError):
                asked = subprocess.run([*command, target], capture_output=True, check=False)
                if asked.returncode == 0 and target.exists() and target.read_bytes()[:5] == b"REDIS":
                    target.chmod(0o600)
                    octets = target.read_bytes()
                    digest = hashlib.sha256(octets).hexdigest()
                    self._add(Path("redis/dump.rdb"), 0o640, target.stat().st_mtime_ns, len(octets), digest)
                    return
                target.unlink(missing_ok=True)
        self._tree("redis", Path(), lambda path: path.name.startswith("temp-"))

    # --- how a file comes into the backup

    def _tree(self, part: str, relative: Path, leave: Callable[[Path], bool] = lambda _path: False) -> None:
        """Everything below, but what `leave` says and what is here already. What is gone by now is left out."""
        top, owner = self._volumes.parts[part]
        path = top / relative
        try:
            with acting_as(owner):
                found = path.lstat()
                names = sorted(os.listdir(path)) if stat.S_ISDIR(found.st_mode) else []
                names = [name for name in names if not leave(path / name)]
            if relative != Path():
                self._entry(part, relative)
        except FileNotFoundError:
            return
        for name in names:
            if not (relative == Path() and name.startswith((ASIDE, STAGING))):
                self._tree(part, relative / name, leave)

    def _entry(self, part: str, relative: Path) -> None:
        """One folder, link or file; what is here already stays. Raises OSError."""
        top, owner = self._volumes.parts[part]
        path, target = top / relative, Path(part) / relative
        if os.path.lexists(self._partial / target):
            return
        with acting_as(owner):
            found = path.lstat()
            link = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISDIR(found.st_mode):
            self._folder(target, mode, found.st_mtime_ns)
        elif link:
            (self._partial / target).symlink_to(link)
            self.manifest.entries.append(Entry(str(target), mode, found.st_mtime_ns, "link", target=link))
        elif stat.S_ISREG(found.st_mode):
            self._file(part, relative, path)
        # Sockets and pipes are made by those who listen there.

    def _parent(self, relative: Path) -> None:
        """The folder of a message; it may be gone by now."""
        try:
            self._entry("vmail", relative)
        except FileNotFoundError:
            self._folder(Path("vmail") / relative, 0o700, time.time_ns())

    def _folder(self, target: Path, mode: int, mtime: int) -> None:
        (self._partial / target).mkdir(mode=0o700)
        self.manifest.entries.append(Entry(str(target), mode, mtime, "folder"))

    def _file(self, part: str, relative: Path, source: Path) -> None:
        target = Path(part) / relative
        with acting_as(self._volumes.parts[part][1]):
            handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for _ in range(_TRIES):
                found = os.fstat(handle)
                size, digest = _copy(handle, self._partial / target)
                now = os.fstat(handle)
                if (size, found.st_mtime_ns) == (now.st_size, now.st_mtime_ns):
                    break
                time.sleep(_PAUSE)
        finally:
            os.close(handle)
        os.utime(self._partial / target, ns=(found.st_mtime_ns, found.st_mtime_ns))
        self._add(target, stat.S_IMODE(found.st_mode), found.st_mtime_ns, size, digest)

    def _add(self, target: Path, mode: int, mtime: int, size: int, digest: str) -> None:
        self.manifest.entries.append(Entry(str(target), mode, mtime, "file", size, digest))
        self._tell(len(self.manifest.entries))

    def _forget(self, relative: Path, left: set[str]) -> None:
        """Take messages out of the backup that were delivered in the meantime."""
        gone = {
            str(Path("vmail") / relative / name)
            for stem, names in self._queued.items()
            if stem not in left
            for name in names
        }
        for path in gone:
            (self._partial / path).unlink(missing_ok=True)
        self.manifest.entries = [entry for entry in self.manifest.entries if entry.path not in gone]
        self.waiting = sum(stem in left for stem in self._queued)

    def _as_vmail(self) -> AbstractContextManager[None]:
        return acting_as(self._volumes.vmail)


def _copy(handle: int, target: Path) -> tuple[int, str]:
    """Size and digest of what was written."""
    digest, size = hashlib.sha256(), 0
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as out:
        while piece := os.pread(handle, _PIECE, size):
            digest.update(piece)
            out.write(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _names(folder: Path) -> set[str]:
    """What lies there under its own name already."""
    try:
        return {name for name in os.listdir(folder) if name[0] != "."}
    except FileNotFoundError:
        return set()


def _lock(handle: int) -> None:
    """Keep others from working on a message of the queue; not for ever."""
    end = time.monotonic() + _BUSY
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return
            time.sleep(_PAUSE)
        else:
            return


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
