"""Members of a compressed mbox (RFC 1952), and what to do behind one that was never finished.

A writer that dies in the middle of a write, or a machine without power, leaves the beginning of a member; what is
appended behind it is read by nobody. So each message is followed by an empty member that says, in an extra field, how
long the member before it is: where a file ends with one, it is whole. Any other file (fdm's, gzip's) is read once.
"""

from __future__ import annotations

import errno
import os
import time
import zlib

from rulesmith.delivery import folders
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = b"\x1f\x8b\x08"
# Method 8, only an extra field, no time, no system: a subfield `Rs` of eight octets; then nothing, deflated.
_BEFORE = _MAGIC + b"\x04" + bytes(4) + b"\x00\xff" + b"\x0c\x00" + b"Rs" + b"\x08\x00"
_BEHIND = b"\x03\x00" + bytes(8)
_MARK = len(_BEFORE) + 8 + len(_BEHIND)
# Short: it unpacks to 16 MiB at most, and the rest of it is copied for each member in it.
_BLOCK = 1 << 14


def member(text: bytes) -> bytes:
    """The text as a member with its mark; the same octets for the same text."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(text) + packer.flush()
    return packed + _BEFORE + len(packed).to_bytes(8, "little") + _BEHIND


def mend(descriptor: int, path: bytes, warn: Callable[[bytes], None]) -> None:
    """Put an unfinished member at the end of the file into one beside it, so that what follows can be read.

    A file that is no gzip file at all stays as it is, and so does one that may not be read. Raises OSError, and Failure
    where the file is damaged: what lies behind that may be whole, but gzip would not read it, nor what is added.
    """
    size = os.fstat(descriptor).st_size
    try:
        if not size or _is_marked(descriptor, size) or not _MAGIC.startswith(os.pread(descriptor, len(_MAGIC), 0)):
            return
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        return
    whole = _whole(descriptor, path)
    if whole == size:
        return
    aside = b"%s.torn-%d" % (path, time.time_ns())
    try:
        _copy(descriptor, whole, aside)
    except OSError as error:
        raise folders.refusal(aside, error, "cannot take the unfinished end of the mailbox") from None
    os.ftruncate(descriptor, whole)
    warn(path + b": its last %d octets, an unfinished gzip member, are now in " % (size - whole) + aside)


def _is_marked(descriptor: int, size: int) -> bool:
    mark = os.pread(descriptor, _MARK, max(0, size - _MARK))
    if not (mark.startswith(_BEFORE) and mark.endswith(_BEHIND)):
        return False
    start = size - len(mark) - int.from_bytes(mark[len(_BEFORE) : -len(_BEHIND)], "little")
    return start >= 0 and os.pread(descriptor, len(_MAGIC), start) == _MAGIC


def _whole(descriptor: int, path: bytes) -> int:
    """Up to where the file consists of whole members, before the end or one that is not finished. Raises Failure."""
    whole = at = 0
    block = b""
    while True:
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            if not block:
                block = os.pread(descriptor, _BLOCK, at)
                at += len(block)
                if not block:
                    return whole
            try:
                unpacker.decompress(block)
            except zlib.error as error:
                name = folders.text_of(path)
                raise Failure(
                    f"{name}: damaged behind octet {whole} ({error}): mend it or move it away, gzip reads no further"
                ) from None
            block = unpacker.unused_data
        whole = at - len(block)


def _copy(descriptor: int, start: int, path: bytes) -> None:
    """The file from there on, durable under another name. Raises OSError."""
    copy = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while block := os.pread(descriptor, _BLOCK, start):
            folders.write_all(copy, block)
            start += len(block)
        os.fsync(copy)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(copy)
    folders.sync_folder(folders.parent_of(path))
