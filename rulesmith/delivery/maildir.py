"""The `maildir` action: one message becomes one file in `new` (fdm.conf(5), maildir(5)).

tmp → fsync → link into new → fsync of new: whoever looks into `new`, also after a power cut, finds the whole
message or none, and success is reported only when it is there to stay.
"""

from __future__ import annotations

import posix
import time

from rulesmith.delivery import folders
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

_NEW = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
# The part of the name that tells deliveries of one process and second apart: the next number.
_number = [0]


def deliver(args: tuple[bytes], raw: bytes, user: tuple[bytes, int, int, bytes], world: World) -> dict[bytes, bytes]:
    """Store `raw` in the maildir `args[0]`; the tag `mail_file` is the path of the new file. Raises Failure."""
    path = args[0]
    if not path:
        raise Failure("empty path")
    world.trace("saving-maildir", path)
    umask = posix.umask(world.settings["file-umask"])
    try:
        if not world.settings["no-create"]:
            _create(path, world)
        return {b"mail_file": _store(path, raw, world)}
    finally:
        posix.umask(umask)


def _create(path: bytes, world: World) -> None:
    """Make what is missing, warn of what looks wrong."""
    group = world.settings["file-group"]
    above = folders.parent_of(path)
    world.trace("creating", above)
    for name in (b"", b"/cur", b"/new", b"/tmp"):
        folder = path + name
        try:
            try:
                folders.make_folder(folder, group)
            except FileNotFoundError:
                folders.make_folders(above, group)
                folders.make_folder(folder, group)
        except FileExistsError:
            try:
                found = posix.stat(folder)
            except OSError as error:
                raise folders.refusal(folder + name, error) from None
            folders.warn_of_owner(folder, found, folders.FOLDER_MODE, world)
        except OSError as error:
            # fdm repeats the name of the inner folder here (`md/cur/cur`), and people know its messages.
            raise folders.refusal(folder + name, error) from None
        else:
            world.trace("creating", folder)


def _store(path: bytes, raw: bytes, world: World) -> bytes:
    """The path of the new file in `new`."""
    host = world.hostname.replace(b"/", b"\\057").replace(b":", b"\\072")
    group = world.settings["file-group"]
    while True:
        name = b"%d.%d_%d.%s" % (time.time(), posix.getpid(), _number[0], host)
        _number[0] += 1
        temporary = path + b"/tmp/" + name
        world.trace("trying", temporary)
        try:
            descriptor = posix.open(temporary, _NEW, folders.FILE_MODE)
        except FileExistsError:
            continue
        except OSError as error:
            raise folders.refusal(temporary, error) from None
        try:
            try:
                if group is not None:
                    posix.fchown(descriptor, -1, group)
                world.trace("writing", temporary)
                folders.write_all(descriptor, raw)
                posix.fsync(descriptor)
            finally:
                posix.close(descriptor)
            world.trace("moving", b".../tmp/" + name, b".../new/" + name)
            final = path + b"/new/" + name
            try:
                _move(temporary, final)
            except FileExistsError:
                world.trace("moving-failed", temporary)
                continue
            _settle(path + b"/new", final)
        except OSError as error:
            raise folders.refusal(temporary, error) from None
        finally:
            _remove(temporary)
        return final


def _move(temporary: bytes, final: bytes) -> None:
    """A second name for the file, never over an existing one. Raises FileExistsError, OSError."""
    try:
        posix.link(temporary, final)
    except OSError as error:
        import errno  # to load it takes longer than a link

        # File systems without hard links say one of these; there the file is renamed.
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if _is_there(final):
            raise FileExistsError(errno.EEXIST, posix.strerror(errno.EEXIST)) from None
        posix.rename(temporary, final)


def _is_there(path: bytes) -> bool:
    try:
        posix.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _settle(folder: bytes, final: bytes) -> None:
    """Make the new name durable, or take it back: the caller will try the whole message again."""
    try:
        folders.sync_folder(folder)
    except OSError:
        _remove(final)
        raise


def _remove(path: bytes) -> None:
    try:
        posix.unlink(path)
    except OSError:
        # Gone already (renamed), or the folder was locked against us meanwhile: a leftover in tmp is no mail,
        # and readers of maildirs sweep it up.
        pass
