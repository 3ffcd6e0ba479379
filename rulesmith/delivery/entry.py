"""One message of the queue: its file, and what can be done with it.

    rulesmith-queue VERSION
    taken WHEN             the arrival (Unix time)
    called PROGRAM WORD …  the command line
    in FOLDER UMASK
    with NAME VALUE …      variables of the environment
    message SIZE KNOWN     how many octets follow, and what the message is recognised by (again.py)

Each line has the form of a record of its progress (progress.py). Behind the message as it came, once it is scanned:

    scan CUT LENGTH CHECK SCORE REQUIRED ACTION SYMBOL SCORE …

and as many octets, whose CRC-32 is CHECK: the scanned text begins with them and goes on with the message from CUT on.
They are on the disk with the first record behind or beside them; until then a lost scan is but made again. Records
behind the message or its scan are the progress of a try that has not failed; a `.progress` file takes their place.

In a file of version 1 the line `message` has no values and all that follows is the message; the lines above it may say
`known` and `scan`, and then it is the scanned text. Nothing is added to it: its progress is always beside it.
"""

from __future__ import annotations

import errno
import posix
import zlib

from rulesmith.delivery import folders
from rulesmith.delivery.progress import Progress, Unreadable, pack, unpack
from rulesmith.delivery.spool import Spool
from rulesmith.effects import Failure
from rulesmith.mail import header, identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VERSIONS = ([b"1"], [b"2"])
_MAGIC = b"rulesmith-queue"
MAIL, TAKEN, PROGRESS = b".mail", b".taken", b".progress"
FLAGS = posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOFOLLOW
# Far more than a command line and a spam verdict may have.
_LONGEST_HEAD = 1 << 22
_BLOCK = 1 << 16
# Hexadecimal digits of what a message is recognised by; so many of them end its name.
_KNOWN, HINT = 40, 8


class Context:
    """How rulesmith was called for a message: what a later try needs to be the same.

    `now` is the arrival (Unix time), `program` the name it was called by, `words` its arguments, `folder` the
    working directory, `variables` the environment as far as it matters.
    """

    __slots__ = ("folder", "now", "program", "umask", "variables", "words")

    def __init__(self) -> None:
        self.now = 0
        self.program = b""
        self.words: list[bytes] = []
        self.folder = b"/"
        self.umask = 0o022
        self.variables: dict[bytes, bytes] = {}


class Entry:
    """One message of the queue, in our hands until `close`.

    Where it is scanned, `verdict` is what the scan said. `known` is the same for the same message in the same call that
    came by the same way, scanned or not. `owner` is the uid that queued it. `open` says that nothing has been decided
    about it in this run; `told` that its caller does not have it any more.
    """

    __slots__ = (
        "_cut", "_end", "_head", "_tail", "_top", "_torn", "context", "descriptor", "draft", "folder", "known", "name",
        "open", "owner", "path", "start", "told", "verdict",
    )  # fmt: skip

    def __init__(self, folder: bytes, name: bytes, descriptor: int, told: bool = False) -> None:
        self.folder = folder
        self.name = name
        self.told = told
        self.path = folder + b"/" + name + (MAIL if told else TAKEN)
        self.draft = b""  # where it is until it has its name
        self.descriptor = descriptor
        self.context = Context()
        self.start = 0
        self.verdict: dict[str, Any] | None = None
        self.known = b""
        self.owner = posix.geteuid()
        self.open = True
        self._end = 0  # of the message
        self._tail = 0  # where records begin; 0 where there can be none
        self._top = b""  # the scanned text is this and the message from _cut on
        self._cut = 0
        self._head = b""  # the lines above the message but for the last
        self._torn = False  # there is more behind the message than its scan, or a piece of one

    def read(self) -> None:
        """What the file says. Raises Unreadable, OSError."""
        status = posix.fstat(self.descriptor)
        self.owner = status.st_uid
        if self.owner != posix.geteuid() != 0:
            # It says which commands to run, and whoever wrote it may not be our friend.
            raise PermissionError(errno.EPERM, "belongs to another user")
        octets = b""
        record: list[bytes] = []
        while record[:1] != [b"message"]:
            end = octets.find(b"\n", self.start)
            if end < 0:
                block = posix.pread(self.descriptor, _BLOCK, len(octets))
                if not block or len(octets) > _LONGEST_HEAD:
                    raise Unreadable
                octets += block
                continue
            found = unpack(octets[self.start : end])
            if found is None or (not self.start and (found[0] != _MAGIC or found[1:] not in _VERSIONS)):
                raise Unreadable
            self.start = end + 1
            self._take(*found)
            record = found
        self._find_end(record[1:], status.st_size)

    def _find_end(self, values: list[bytes], size: int) -> None:
        if not values:
            # Version 1.
            self._end = size
            return
        self._end = self._tail = self.start + int(values[0])
        self.known = values[1]
        if size < self._end:
            raise Unreadable
        if size > self._end:
            self._find_scan(posix.pread(self.descriptor, size - self._end, self._end))
            self._torn = size > self._tail

    def _find_scan(self, octets: bytes) -> None:
        line, _, rest = octets.partition(b"\n")
        record = unpack(line)
        if record is None or record[0] != b"scan":
            return
        cut, length, check, *verdict = record[1:]
        top = rest[: int(length)]
        if len(top) == int(length) and zlib.crc32(top) == int(check, 16):
            self._take(b"scan", *verdict)
            self._top, self._cut = top, int(cut)
            self._tail += len(line) + 1 + len(top)

    def _take(self, word: bytes, *values: bytes) -> None:
        context = self.context
        if word == b"taken":
            context.now = int(values[0])
        elif word == b"called":
            context.program, *context.words = values
        elif word == b"in":
            context.folder, context.umask = values[0], int(values[1], 8)
        elif word == b"with":
            context.variables = dict(zip(values[::2], values[1::2], strict=True))
        elif word == b"known":
            self.known = values[0]
        elif word == b"scan":
            score, required, action, *symbols = values
            self.verdict = {
                "score": float(score),
                "required": float(required),
                "action": action,
                "symbols": {name: float(value) for name, value in zip(symbols[::2], symbols[1::2], strict=True)},
            }

    def raw(self) -> bytes:
        """The message, with a last LF; the scanned text where it is scanned. Raises OSError."""
        raw = self._top + Spool(self.descriptor, self.start + self._cut, self._end).read()
        return raw if raw[-1:] == b"\n" else raw + b"\n"

    def recognise(self) -> bytes:
        """What the message is known by. Raises OSError."""
        if not self.known:
            self.known = _known(self.raw(), self.context)
        return self.known

    def replace(self, raw: bytes, text: bytes, verdict: dict[str, Any], progress: Progress | None) -> None:
        """From now on the message `raw` is the scanned text; on the disk with the first record behind it, or now where
        there is a record elsewhere. Raises OSError; then it is as it was."""
        if not self._tail or (progress is not None and progress.within):
            raise OSError(errno.EBUSY, "there is no room for it in its file")
        cut = header.boundary(raw)
        if not text.endswith(memoryview(raw)[cut:]):
            cut = len(raw)
        top = text[: len(text) - len(raw) + cut]
        symbols = [part for name, value in verdict["symbols"].items() for part in (name, b"%r" % value)]
        # The last LF need not be in the file.
        cut = min(cut, self._end - self.start)
        about = [b"%d" % cut, b"%d" % len(top), b"%08x" % zlib.crc32(top)]
        about += [b"%r" % verdict["score"], b"%r" % verdict["required"], verdict["action"], *symbols]
        octets = pack(b"scan", *about) + top
        try:
            if self._torn:
                # Or it has its place elsewhere by now.
                posix.ftruncate(self.descriptor, self._end)
            _write(self.descriptor, octets, self._end)
            if progress is not None:
                posix.fsync(self.descriptor)
        except OSError:
            posix.ftruncate(self.descriptor, self._end)
            raise
        self._tail = self._end + len(octets)
        self._top, self._cut, self.verdict = top, cut, verdict

    def progress(self) -> Progress | None:
        """How far the message has come; None where nothing was written down. Raises Failure: it cannot be read."""
        path = self.progress_path()
        try:
            progress = self.written(FLAGS)
        except (OSError, Unreadable) as error:
            reason = "written by another version" if isinstance(error, Unreadable) else error.strerror
            raise Failure(f"{folders.text_of(path)}: {reason}") from None
        if progress is not None and not progress.now:
            progress.begin(self.context.now)
        return progress

    def written(self, flags: int) -> Progress | None:
        """The record as it is. Raises OSError, Unreadable."""
        path = self.progress_path()
        start = -1
        try:
            descriptor = posix.open(path, flags)
        except FileNotFoundError:
            if not 0 < self._tail < posix.fstat(self.descriptor).st_size:
                return None
            start, descriptor = self._tail, posix.dup(self.descriptor)
        try:
            return Progress(path, descriptor, start)
        except BaseException:
            posix.close(descriptor)
            raise

    def begin(self) -> Progress:
        """A new record of its progress. Raises OSError where it cannot be kept."""
        path = self.progress_path()
        if self._tail:
            progress = Progress(path, posix.dup(self.descriptor), self._tail)
        else:
            progress = Progress(path, posix.open(path, FLAGS | posix.O_CREAT, 0o600))
        progress.begin(self.context.now, fresh=not self._tail)
        return progress

    def tell(self) -> None:
        """The caller is about to hear that the message is ours."""
        if self.told:
            return
        path = self.folder + b"/" + self.name + MAIL
        try:
            posix.rename(self.path, path)
        except OSError:
            # Done with; or the folder is closed to us, and then it is at worst taken for a message of a killed run.
            return
        self.told, self.path = True, path

    def remove(self, ours: bool = True) -> None:
        """The message is done with; not `ours` where another process had taken it. Raises OSError."""
        self.open = False
        if not ours and not self.told:
            from rulesmith.delivery import again

            again.remember(self)
        # Not synced: after a power cut it may be there again, after a kill it is not; and nobody waits for a disk here.
        posix.unlink(self.path)
        # Last, because without it everything would be delivered again.
        _unlink(self.progress_path())

    def discard(self) -> None:
        """The message was never taken: nothing of it stays."""
        _unlink(self.draft or self.path)
        self.close()

    def close(self) -> None:
        """Let go of the message."""
        if self.descriptor >= 0:
            posix.close(self.descriptor)
            self.descriptor = -1

    def reserve(self, context: Context) -> None:
        """Leave room for the lines above the message."""
        self.context = context
        self._head = _lines(context)
        self.start = len(self._head) + len(_last_line(0, b"-" * _KNOWN))

    def complete(self, raw: bytes) -> None:
        """The message `raw` has come and is in the file: write the lines above it, and give it its name. Raises
        OSError."""
        self._end = self._tail = posix.fstat(self.descriptor).st_size
        self.known = _known(raw, self.context)
        _write(self.descriptor, self._head + _last_line(self._end - self.start, self.known), 0)
        self.rename(self.name + b"." + self.known[:HINT])

    def rename(self, name: bytes) -> None:
        """Be called that as soon as it is no draft any more."""
        self.name = name
        self.path = self.folder + b"/" + name + TAKEN

    def enter(self) -> None:
        """Be no draft any more. Raises OSError."""
        posix.rename(self.draft, self.path)
        self.draft = b""

    def progress_path(self) -> bytes:
        """Where its progress lies, or would."""
        return self.folder + b"/" + self.name + PROGRESS


def hint_of(name: bytes) -> bytes:
    """How what the message of this name is known by begins; nothing where its name does not say so."""
    parts = name.split(b".")
    return parts[3] if len(parts) > 3 else b""


def _lines(context: Context) -> bytes:
    variables = [part for pair in context.variables.items() for part in pair]
    return b"".join(
        (
            pack(_MAGIC, *_VERSIONS[-1]),
            pack(b"taken", b"%d" % context.now),
            pack(b"called", context.program, *context.words),
            pack(b"in", context.folder, b"%o" % context.umask),
            pack(b"with", *variables) if variables else b"",
        )
    )


def _last_line(size: int, known: bytes) -> bytes:
    """As long for every message."""
    return pack(b"message", b"%016d" % size, known)


def _known(raw: bytes, context: Context) -> bytes:
    raw = header.strip_from_line(raw)
    known = identity.identity(raw, header.boundary(raw), way=True)
    person = [context.variables.get(name, b"") for name in (b"HOME", b"RECIPIENT")]
    return identity.digest(known, context.folder, *person, *context.words)[: _KNOWN // 2].hex().encode()


def _write(descriptor: int, octets: bytes, at: int) -> None:
    rest = memoryview(octets)
    while rest:
        written = posix.pwrite(descriptor, rest, at)
        at += written
        rest = rest[written:]


def _unlink(path: bytes) -> None:
    try:
        posix.unlink(path)
    except OSError:
        # Not there, which is what was wanted; or left for `queue run` to sweep up.
        pass
