"""The `mbox` action: one message at the end of a locked file (fdm.conf(5), mbox(5), RFC 4155).

Everything is put together in memory and appended with one write: a reader finds the whole message or, after a
write that failed half-way, the file as it was before.
"""

from __future__ import annotations

import _signal
import errno
import posix
import stat

from rulesmith.delivery import folders, locks
from rulesmith.effects import Failure
from rulesmith.mail import mbox_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

# Held back while the file is incomplete, as fdm holds back SIGTERM.
_SIGNALS = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)


def deliver(
    args: tuple[bytes, bool, bytes], raw: bytes, user: tuple[bytes, int, int, bytes], world: World
) -> dict[bytes, bytes]:
    """Append `raw` to the mbox `args[0]`, as a gzip member if `args[1]`, below the separator `args[2]`.

    The tag `mbox_file` is the path, with `.gz` where the file is compressed. Raises Failure.
    """
    path, compress, from_line = args
    if not path:
        raise Failure("empty path")
    if compress and not path.endswith(b".gz"):
        path += b".gz"
    world.trace("saving-mbox", path)
    # Before others wait for the lock.
    text = b"%s\n%s\n\n" % (from_line, mbox_text.quote(raw))
    if compress:
        from rulesmith.delivery import gzip_member  # loads zlib

        text = gzip_member.member(text)
    umask = posix.umask(world.settings["file-umask"])
    try:
        _look(path, world)
        box = _open(path, world)
        try:
            world.trace("from-line", from_line)
            if world.level >= 2:
                for line in mbox_text.quoted_lines(raw):
                    world.trace("quoting", line)
            if compress:
                gzip_member.mend(box.descriptor, path, world.warn)
            _append(box, text, not compress)
        finally:
            box.close()
    except OSError as error:
        raise folders.refusal(path, error) from None
    finally:
        posix.umask(umask)
    return {b"mbox_file": path}


def _look(path: bytes, world: World) -> None:
    """Warn of what looks wrong, make the folders that lead to a new file. Raises OSError."""
    try:
        found = posix.stat(path)
    except FileNotFoundError:
        if world.settings["no-create"]:
            raise
        above = folders.parent_of(path)
        world.trace("creating", above)
        folders.make_folders(above, world.settings["file-group"])
        return
    folders.warn_of_owner(path, found, folders.FILE_MODE, world)
    if not stat.S_ISREG(found.st_mode):
        # What cannot be truncated back must not be written to; fdm finds out when it syncs.
        code = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
        raise OSError(code, posix.strerror(code))


def _open(path: bytes, world: World) -> locks.LockedFile:
    settings = world.settings
    types, create, group = settings["lock-types"], not settings["no-create"], settings["file-group"]

    def take() -> locks.LockedFile:
        try:
            return locks.LockedFile(path, posix.O_RDWR | posix.O_APPEND, types, create, group)
        except PermissionError:
            # A box that we may fill but not read.
            return locks.LockedFile(path, posix.O_WRONLY | posix.O_APPEND, types, create, group)

    return locks.patiently(path, settings["lock-timeout"], take, world.trace)


def _append(box: locks.LockedFile, text: bytes, plain: bool) -> None:
    """Write and sync, or leave the file as long as it was. Raises OSError."""
    descriptor = box.descriptor
    size = posix.fstat(descriptor).st_size
    if plain and size:
        text = _separation(descriptor, size) + text
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _SIGNALS)
    try:
        try:
            folders.write_all(descriptor, text)
            posix.fsync(descriptor)
            if box.created:
                folders.sync_folder(folders.parent_of(box.path))
        except BaseException:
            posix.ftruncate(descriptor, size)
            folders.sync_file(descriptor)
            raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def _separation(descriptor: int, size: int) -> bytes:
    """What is missing for our separator to be one: nothing, unless a writer died here in mid-message.

    Readers look for a separator behind an empty line; behind another line it would be text of the message before.
    """
    try:
        is_mbox = posix.pread(descriptor, 5, 0) == b"From "
        end = posix.pread(descriptor, 3, max(0, size - 3))
    except OSError as error:
        # A box that we may not read.
        if error.errno != errno.EBADF:
            raise
        return b""
    if not end.endswith(b"\n"):
        return b"\n\n"
    return b"\n" if is_mbox and not end.endswith((b"\n\n", b"\n\r\n")) else b""
