"""Folders and the files in them: creation, fdm's three warnings, and what makes a new name survive a power cut."""

from __future__ import annotations

import posix

from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

FILE_MODE = 0o666
FOLDER_MODE = 0o777


def text_of(octets: bytes) -> str:
    """Octets as text for a Failure; they come back when it is encoded with surrogateescape."""
    return octets.decode("utf-8", "surrogateescape")


def refusal(path: bytes, error: OSError, step: str = "") -> Failure:
    """What the system said of a path, in fdm's form `PATH: TEXT` or `PATH: STEP: TEXT`."""
    middle = f": {step}: " if step else ": "
    return Failure(text_of(path) + middle + (error.strerror or str(error)))


def parent_of(path: bytes) -> bytes:
    """dirname(3): trailing slashes do not count."""
    return path.rstrip(b"/").rpartition(b"/")[0].rstrip(b"/") or (b"/" if path[:1] == b"/" else b".")


def name_of(path: bytes) -> bytes:
    """basename(3): trailing slashes do not count."""
    return path.rstrip(b"/").rpartition(b"/")[2] or (b"/" if path[:1] == b"/" else b".")


def names_in(path: bytes) -> list[bytes]:
    """The names in a folder of ours, none where there is no such folder. Raises Failure: nobody can tell."""
    try:
        return posix.listdir(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        if isinstance(error, PermissionError) and not _is_ours(path):
            # Closed to us, so nothing in it is from us.
            return []
        raise refusal(path, error) from None


def _is_ours(path: bytes) -> bool:
    try:
        return posix.stat(path).st_uid == posix.geteuid()
    except PermissionError:
        return False


def takes_files(folder: bytes) -> bool:
    """Whether a file could be made in a folder, which may have to be made first."""
    while not posix.access(folder, posix.W_OK | posix.X_OK):
        above = parent_of(folder)
        if above == folder or posix.access(folder, posix.F_OK):
            return False
        folder = above
    return True


def make_folder(path: bytes, group: int | None) -> None:
    """Make one folder, mode 0777 less the umask, that outlives a power cut; FileExistsError where there is one."""
    posix.mkdir(path, FOLDER_MODE)
    if group is not None:
        posix.chown(path, -1, group)
    sync_folder(parent_of(path))


def make_folders(path: bytes, group: int | None) -> None:
    """Make a folder and all that lead to it; existing ones stay as they are. Raises OSError."""
    at = 0
    while at < len(path):
        at = path.find(b"/", at + 1)
        if at < 0:
            at = len(path)
        part = path[:at]
        try:
            mode = posix.stat(part).st_mode
        except FileNotFoundError:
            try:
                make_folder(part, group)
            except FileExistsError:
                # A dangling link, or another delivery was faster; what follows tells.
                pass
        except OSError:
            # A folder that cannot be looked at may still be passed through.
            pass
        else:
            from _stat import S_ISDIR  # most deliveries need neither

            if not S_ISDIR(mode):
                from errno import ENOTDIR

                raise NotADirectoryError(ENOTDIR, posix.strerror(ENOTDIR))


def warn_of_owner(path: bytes, found: posix.stat_result, mode: int, world: World) -> None:
    """fdm's warnings about an existing file or folder; it is used all the same."""
    wanted = mode & ~world.settings["file-umask"]
    if found.st_mode & 0o777 != wanted:
        world.warn(path + b": bad permissions: %03o, should be %03o" % (found.st_mode & 0o777, wanted))
    uid = posix.geteuid()
    if found.st_uid != uid:
        world.warn(path + b": bad owner: %d, should be %d" % (found.st_uid, uid))
    group = world.settings["file-group"]
    gid = posix.getgid() if group is None else group
    if found.st_gid != gid:
        world.warn(path + b": bad group: %d, should be %d" % (found.st_gid, gid))


def sync_file(descriptor: int) -> None:
    """fsync, except for what has nothing to sync. Raises OSError."""
    try:
        posix.fsync(descriptor)
    except OSError as error:
        from errno import EINVAL, ENOTSUP, EROFS  # to load it takes longer than a message without errors

        # What a file system says that cannot sync such a thing: a device, a FIFO, a folder of some network file system.
        if error.errno not in (EINVAL, ENOTSUP, EROFS):
            raise


def is_at(path: bytes, own: posix.stat_result) -> bool:
    """Whether a path still means the file that we have open."""
    try:
        now = posix.stat(path)
    except FileNotFoundError:
        return False
    return (now.st_dev, now.st_ino) == (own.st_dev, own.st_ino)


def sync_folder(path: bytes) -> None:
    """Make the names in a folder durable. Raises OSError; a folder that may not be read cannot be synced."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_CLOEXEC)
    except PermissionError:
        # A drop box (mode 0300, or the parent of a folder of our own): we may write names but not open it.
        return
    try:
        sync_file(descriptor)
    finally:
        posix.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every octet. Raises OSError."""
    written = posix.write(descriptor, data)
    if written == len(data):
        return
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[posix.write(descriptor, rest) :]
