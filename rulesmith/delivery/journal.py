"""The journal: the progress of messages whose plan is not done, where the caller keeps the message.

A folder of its own, mode 0700, with a file for each such message, `IDENTITY.NUMBER.journal`; the number tells
apart equal messages that are delivered at the same time. Files of messages that nobody brings again are removed
after limits.JOURNAL_DAYS, and there are never more than limits.JOURNAL_FILES.
"""

from __future__ import annotations

import errno
import fcntl
import posix
import time

from rulesmith.delivery import folders
from rulesmith.delivery.progress import Progress, Unreadable
from rulesmith.effects import Failure
from rulesmith.limits import JOURNAL_DAYS, JOURNAL_FILES, JOURNAL_PATIENCE

SUFFIX = b".journal"
_FLAGS = posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOFOLLOW
_PAUSE = 0.02


def find(folder: bytes, name: bytes) -> Progress | None:
    """The record of an earlier try of the message, locked; None without one.

    Where another process is at work on it, this one waits for some seconds. Raises Failure: come again later, or the
    record cannot be read. Without it deliveries would be repeated, and a key that the message has added to a cache
    would make it a duplicate of itself.
    """
    until = time.monotonic() + JOURNAL_PATIENCE
    while True:
        busy = False
        for file in _of(folder, name):
            try:
                progress = _open(folder + b"/" + file)
            except BlockingIOError:
                busy = True
            except FileNotFoundError:
                # Done with since the look into the folder.
                continue
            except (Unreadable, OSError) as error:
                reason = "written by another version" if isinstance(error, Unreadable) else error.strerror
                path = folders.text_of(folder + b"/" + file)
                raise Failure(f"{path}: {reason}; it says what is done with this message: mend or remove it") from None
            else:
                return progress
        if not busy:
            return None
        if time.monotonic() >= until:
            raise Failure("another process is delivering this message")
        time.sleep(_PAUSE)


def create(folder: bytes, name: bytes, now: int) -> Progress:
    """A new record. Raises OSError where it cannot be kept."""
    _prepare(folder)
    number = 0
    while True:
        path = b"%s/%s.%d%s" % (folder, name, number, SUFFIX)
        try:
            descriptor = posix.open(path, _FLAGS | posix.O_CREAT | posix.O_EXCL, 0o600)
        except FileExistsError:
            # An equal message is being delivered, or its record cannot be read: each has its own.
            number += 1
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            progress = Progress(path, descriptor)
            progress.begin(now, fresh=True)
        except BlockingIOError:
            # Another process found our file before we had locked it, and takes it for an earlier try.
            posix.close(descriptor)
            number += 1
            continue
        except BaseException:
            _discard(path, descriptor)
            raise
        return progress


def _of(folder: bytes, name: bytes) -> list[bytes]:
    """Raises Failure where the folder is ours and cannot be read."""
    return sorted(each for each in folders.names_in(folder) if each.startswith(name + b".") and each.endswith(SUFFIX))


def _open(path: bytes) -> Progress:
    """Raises BlockingIOError where somebody else has it, FileNotFoundError where it is gone, Unreadable, OSError."""
    descriptor = posix.open(path, _FLAGS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        own = posix.fstat(descriptor)
        if not folders.is_at(path, own):
            raise FileNotFoundError(errno.ENOENT, posix.strerror(errno.ENOENT))
        if own.st_uid != posix.geteuid():
            raise PermissionError(errno.EPERM, "belongs to another user")
        progress = Progress(path, descriptor)
        if not progress.now:
            # Somebody was killed before he could write its first line, or that is damaged.
            progress.begin(int(time.time()))
        return progress
    except BaseException:
        posix.close(descriptor)
        raise


def _discard(path: bytes, descriptor: int) -> None:
    try:
        posix.unlink(path)
    except OSError:
        # An empty record says nothing; it goes with its age.
        pass
    posix.close(descriptor)


def _prepare(folder: bytes) -> None:
    """Make the folder, or look after it: not too many files, none too old. Raises OSError."""
    try:
        names = posix.listdir(folder)
    except FileNotFoundError:
        folders.make_folders(folders.parent_of(folder), None)
        try:
            posix.mkdir(folder, 0o700)
            folders.sync_folder(folders.parent_of(folder))
        except FileExistsError:
            pass
        return
    ages = []
    for name in names:
        if name.endswith((SUFFIX, SUFFIX + b".new")):
            try:
                ages.append((posix.stat(folder + b"/" + name).st_mtime, name))
            except FileNotFoundError:
                continue
    ages.sort()
    oldest = time.time() - JOURNAL_DAYS * 86400
    surplus = len(ages) - JOURNAL_FILES + 1
    for number, (when, name) in enumerate(ages):
        if number >= surplus and when >= oldest:
            break
        _forget(folder + b"/" + name)


def _forget(path: bytes) -> None:
    """Remove a record that nobody is at work on.

    The keys go with it that its message has added to a cache: without the record they would make the message, when it
    comes again, a duplicate of itself. A record whose cache cannot be written stays.
    """
    try:
        descriptor = posix.open(path, _FLAGS)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            added = Progress(path, descriptor).added()
        except Unreadable:
            added = []
        for cache, key in added:
            if _is_there(cache):
                _take_back(cache, key)
        posix.unlink(path)
    except (OSError, Failure):
        return
    finally:
        posix.close(descriptor)


def _is_there(path: bytes) -> bool:
    try:
        posix.stat(path)
    except OSError:
        return False
    return True


def _take_back(path: bytes, key: bytes) -> None:
    from rulesmith.delivery import keys  # loads sqlite3

    cache = keys.Cache(path)
    try:
        cache.remove(key)
    finally:
        cache.close()
