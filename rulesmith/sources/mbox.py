"""The `mbox` account: every message of locked files (fdm.conf(5), mbox(5)).

The shape of a source is explained in maildir.py. The files stay locked until `finish`, which removes the dropped
messages, whatever has ended the account (fdm leaves them after an abort, and delivers them again): an empty box is
truncated, any other replaced by a complete, synced file, so that a crash leaves the old box or the new one. What
somebody appended meanwhile is kept in either case.
"""

from __future__ import annotations

import errno
import os
import stat

from rulesmith.delivery import folders, locks
from rulesmith.effects import Failure
from rulesmith.sources import paths
from rulesmith.sources.maildir import refuse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rulesmith.delivery.world import World

    Fetched = tuple[bytes, dict[bytes, bytes], Callable[[bool], None]]

_CHUNK = 1 << 20


class Source:
    """The mboxes that some patterns (glob(3)) name."""

    __slots__ = ("_boxes", "_patterns", "_world")

    def __init__(self, patterns: tuple[bytes, ...], world: World) -> None:
        self._patterns = patterns
        self._world = world
        self._boxes: list[_Box] = []

    def messages(self) -> Iterator[Fetched]:
        """Each message, below its separator line, with its tags. Raises Failure in fdm's words."""
        try:
            for pattern in self._patterns:
                for path in paths.expand(pattern):
                    yield from self._read(path)
        except BaseException:
            # Also when the door stops asking: the locks must not outlive the account.
            self.finish()
            raise

    def finish(self) -> None:
        """Remove the dropped messages, and unlock. Raises Failure when a box cannot be rewritten."""
        boxes, self._boxes = self._boxes, []
        try:
            for box in boxes:
                self._world.trace("saving-mbox-account", box.file.path, box.total - box.dropped, box.total)
                try:
                    box.save()
                except OSError as error:
                    raise folders.refusal(box.file.path, error) from None
        finally:
            for box in boxes:
                box.file.close()

    def _read(self, path: bytes) -> Iterator[Fetched]:
        box = self._open(path)
        if box is None:
            return
        where = {b"mbox": folders.name_of(path), b"mbox_path": folders.parent_of(path), b"mbox_file": path}
        maximum = self._world.settings["maximum-size"]
        for raw, size, span in cut_messages(box.file.descriptor, box.size, maximum):
            box.total += 1
            box.spans.append(span)
            box.read_to = span[1] + 2 * (os.pread(box.file.descriptor, 2, span[1]) == b"\n\n")
            drop = box.dropper()
            if size > maximum:
                refuse_size(size, self._world)
                drop(True)
                continue
            line = raw[: raw.find(b"\n")] if b"\n" in raw else raw
            yield raw, {**where, b"mbox_from": line}, drop

    def _open(self, path: bytes) -> _Box | None:
        settings = self._world.settings
        name = folders.text_of(path)
        try:
            found = os.stat(path)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not found.st_size:
                return None
            if found.st_size < 5:
                raise Failure(f"{name}: mbox too small")
            file = locks.patiently(
                path,
                settings["lock-timeout"],
                lambda: locks.LockedFile(path, os.O_RDWR, settings["lock-types"], False, None),
                self._world.trace,
            )
        except OSError as error:
            raise folders.refusal(path, error) from None
        box = _Box(file, os.fstat(file.descriptor).st_size)
        self._boxes.append(box)
        if box.size and os.pread(file.descriptor, 5, 0) != b"From ":
            raise Failure(f"{name}: not an mbox")
        return box


class _Box:
    """One locked mbox, and what is to become of its messages; those behind `read_to` nobody has looked at."""

    __slots__ = ("dropped", "file", "read_to", "size", "spans", "total")

    def __init__(self, file: locks.LockedFile, size: int) -> None:
        self.file = file
        self.size = size
        self.spans: list[tuple[int, int] | None] = []  # None: dropped
        self.total = 0
        self.dropped = 0
        self.read_to = 0

    def dropper(self) -> Callable[[bool], None]:
        index = len(self.spans) - 1

        def dispose(drop: bool) -> None:
            if drop and self.spans[index] is not None:
                self.spans[index] = None
                self.dropped += 1

        return dispose

    def save(self) -> None:
        """Raises OSError; the box is then what it was."""
        if not self.dropped:
            return
        descriptor = self.file.descriptor
        more = os.fstat(descriptor).st_size > self.read_to
        if self.dropped == self.total and not more:
            os.ftruncate(descriptor, 0)
            os.fsync(descriptor)
            return
        # The file that a symbolic link means is replaced, not the link.
        path = os.path.realpath(self.file.path)
        draft = b"%s.%d" % (path, os.getpid())
        try:
            self._write(draft)
            os.rename(draft, path)
            folders.sync_folder(folders.parent_of(path))
        except BaseException:
            try:
                os.unlink(draft)
            except FileNotFoundError:
                # Not made yet, or renamed already.
                pass
            raise

    def _write(self, draft: bytes) -> None:
        """The kept messages and whatever comes behind them, appended since or not, complete on the disk."""
        source = self.file.descriptor
        found = os.fstat(source)
        target = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            for span in self.spans:
                if span is not None:
                    _copy(source, target, *span)
                    folders.write_all(target, b"\n\n")
            _copy(source, target, self.read_to, found.st_size)
            try:
                os.fchown(target, found.st_uid, found.st_gid)
            except PermissionError:
                # Only root may give files away; then the box becomes ours, as with fdm.
                pass
            os.fchmod(target, stat.S_IMODE(found.st_mode))
            os.fsync(target)
        finally:
            os.close(target)


def _copy(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        chunk = os.pread(source, min(_CHUNK, end - start), start)
        if not chunk:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        folders.write_all(target, chunk)
        start += len(chunk)


def cut_messages(descriptor: int, size: int, maximum: int) -> Iterator[tuple[bytes, int, tuple[int, int]]]:
    """(message, its size, where it lies): cut at separators, one `>` less before each `From `.

    A separator starts with `From ` and follows an empty line. The message loses the empty line before the next
    separator and its own last line feed; of one larger than `maximum` only the size is right.
    """
    begin = at = length = 0
    lines: list[bytes] = []
    empty = False  # whether the last line was
    for line in _lines(descriptor, size):
        if empty and line.startswith(b"From "):
            yield _message(descriptor, lines, length, begin, at)
            begin, length, lines = at, 0, []
        at += len(line)
        empty = line in (b"\n", b"\r\n")
        quoted = line[:1] == b">" and line.lstrip(b">").startswith(b"From ")
        text = line.removesuffix(b"\n")[quoted:] + b"\n"
        length += len(text)
        if length <= maximum + 2:
            lines.append(text)
    if at > begin:
        yield _message(descriptor, lines, length, begin, at)


def _message(
    descriptor: int, lines: list[bytes], length: int, begin: int, end: int
) -> tuple[bytes, int, tuple[int, int]]:
    raw = b"".join(lines)
    if end - begin >= 2 and os.pread(descriptor, 2, end - 2) == b"\n\n":
        return raw[:-2], length - 2, (begin, end - 2)
    return raw, length, (begin, end)


def _lines(descriptor: int, size: int) -> Iterator[bytes]:
    """The lines of the first `size` octets, read without moving the shared file offset."""
    at = 0
    begun: list[bytes] = []
    while at < size:
        chunk = os.pread(descriptor, min(_CHUNK, size - at), at)
        if not chunk:
            break
        at += len(chunk)
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for line in others:
            yield b"".join(begun) + b"\n"
            begun = [line]
    last = b"".join(begun)
    if last:
        yield last
