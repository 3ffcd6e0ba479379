"""Keeps a program that was compiled, for the next starts (program_file.py). Cold: once per edit."""

from __future__ import annotations

import errno
import marshal
import os
import stat
import zlib

from rulesmith.delivery.program_file import OTHERS_WRITE, with_packs
from rulesmith.stretching import with_stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.delivery.program_file import Key
    from rulesmith.program import Program

# So many programs are kept.
_PROGRAMS = 32


def store(key: Key, facts: dict[str, Any], program: Program, warnings: tuple[str, ...]) -> str | None:
    """Keep a program; None, or in a few words why it could not be kept. Nothing depends on it.

    `facts` is what compiler/facts.py gives. The caller does not store what must not be kept.
    """
    rest = bytearray()
    rules = with_packs(with_stretches(program[4]), lambda packs: tuple([_put(pack, rest) for pack in packs]))
    head = marshal.dumps((key.values(), facts, (*program[:4], rules), warnings))
    octets = b"".join((zlib.crc32(head).to_bytes(4, "big"), len(head).to_bytes(4, "big"), head, rest))
    try:
        path = key.file()
        folder = os.path.dirname(path)
        if not _is_private(folder):
            return os.fsdecode(folder) + " belongs to another user, or others may write to it"
        temporary = path + b".%d" % os.getpid()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                written = os.write(descriptor, octets)
            finally:
                os.close(descriptor)
            if written != len(octets):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.rename(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        _prune(folder)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _put(pack: bytes, rest: bytearray) -> tuple[int, int, int]:
    """Where the pack is now, how long it is, and its checksum."""
    at = len(rest)
    rest += pack
    return at, len(pack), zlib.crc32(pack)


def _is_private(folder: bytes) -> bool:
    """Whether a folder, made if it is missing, is ours alone."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(os.path.dirname(folder), 0o700, exist_ok=True)
        os.mkdir(folder, 0o700)
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & OTHERS_WRITE


def _prune(folder: bytes) -> None:
    """Forget the oldest programs: each working directory and set of options has its own."""
    names = [name for name in os.listdir(folder) if b".program" in name]
    if len(names) <= _PROGRAMS:
        return
    paths = [folder + b"/" + name for name in names]
    paths.sort(key=lambda path: os.lstat(path).st_mtime_ns)
    for path in paths[: len(paths) - _PROGRAMS]:
        os.unlink(path)
