"""The queue: messages that rulesmith has taken over, each durable before the caller is told so.

A folder, mode 0700. `ID.mail` is a message with what it takes to try it again: lines in the form of a progress
file, up to the one that says `message`, then the octets as they came. It is called `ID.taken` until the caller is
about to be told. `ID.progress` is how far it has come (progress.py), missing until there is something to say. IDs
sort by arrival. Who works on a message holds a lock on it. `.ID` is a message still arriving; `answered/` tells when
something last worked (answers.py); `NAME.ghost` is in again.py.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

from rulesmith.delivery import folders
from rulesmith.delivery.progress import Progress, Unreadable, pack, unpack
from rulesmith.delivery.spool import Spool
from rulesmith.effects import Failure, stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.sources.stdin import Letter

VERSION = b"1"
_MAGIC = b"rulesmith-queue"
MAIL, TAKEN, PROGRESS, GHOST = b".mail", b".taken", b".progress", b".ghost"
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
# Variables that decide what a configuration means and what its commands find; a retry has them as they were.
# The second line is what Postfix, Exim and qmail tell of the recipient.
_VARIABLES = (
    b"HOME PATH USER LOGNAME SHELL TMPDIR TZ LANG RULESMITH_CONF "
    b"RECIPIENT ORIGINAL_RECIPIENT SENDER LOCAL LOCAL_PART DOMAIN HOST EXTENSION EXT"
).split()
_VARIABLE_PREFIXES = (b"XDG_", b"LC_")
_HEAD_END = b"\n" + pack(b"message")
# Far more than a command line and a spam verdict may have.
_LONGEST_HEAD = 1 << 22


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


def this_call(program: bytes, words: list[str]) -> Context:
    """The context of a message that is being handed to this process."""
    context = Context()
    context.now = int(time.time())
    context.program = program
    context.words = [os.fsencode(word) for word in words]
    try:
        context.folder = os.getcwdb()
    except OSError:
        # It was removed under us; paths that depend on it will be missed.
        pass
    context.umask = os.umask(0o077)
    os.umask(context.umask)
    context.variables = {
        name: value for name, value in os.environb.items() if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
    }
    return context


def take(
    folder: bytes, context: Context, receive: Callable[[Spool | None], Letter]
) -> tuple[Letter, Entry | None, str]:
    """Receive a message into the queue; without an entry, the reason why it is not there.

    From the moment this returns an entry the message is ours: it and its name are on the disk. Raises Failure where
    there is no message, or one too big; then there is no entry. Raises Delivered for a message that was delivered
    after the process that had taken it was killed, so that its caller hands it over again.
    """
    entry = None
    try:
        _prepare(folder)
        entry = _create(folder, context)
    except OSError as error:
        return receive(None), None, f"{folders.text_of(folder)}: {error.strerror}"
    letter = None
    try:
        spool = Spool(entry.descriptor, entry.start)
        letter = receive(spool)
        if spool.failure is not None:
            raise spool.failure
        if any(name.endswith((TAKEN, GHOST)) for name in os.listdir(folder)):
            from rulesmith.delivery import again  # something was killed, or others are at work

            earlier = again.find(entry)
            if earlier is not None:
                entry.discard()
                return letter, earlier, ""
        # A signal shall find it here and with the caller told so, or not here.
        stopping.held = True
        os.fsync(entry.descriptor)
        os.rename(folder + b"/." + entry.name, entry.path)
        folders.sync_folder(folder)
    except OSError as error:
        entry.discard()
        why = f"{folders.text_of(folder)}: {error.strerror}"
        if letter is None or not letter.in_memory:
            # What could not be synced is no copy to deliver from.
            raise Failure(f"the queue cannot take the message: {why}") from None
        return letter, None, why
    except BaseException:
        entry.discard()
        raise
    return letter, entry, ""


def names(folder: bytes) -> list[bytes]:
    """The IDs of all messages, oldest first. Raises OSError."""
    return sorted(
        each.rpartition(b".")[0] for each in os.listdir(folder) if each.endswith((MAIL, TAKEN)) and each[:1] != b"."
    )


def open_entry(folder: bytes, name: bytes, wait: bool = False) -> Entry:
    """A message of the queue, locked. Raises BlockingIOError where somebody works on it, FileNotFoundError where it
    is gone, Unreadable, OSError."""
    return _open(folder, name, _FLAGS, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def look(folder: bytes, name: bytes) -> Entry:
    """A message of the queue, only to be looked at. Raises FileNotFoundError, Unreadable, OSError."""
    return _open(folder, name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0)


def _open(folder: bytes, name: bytes, flags: int, lock: int) -> Entry:
    told = True
    try:
        descriptor = os.open(folder + b"/" + name + MAIL, flags)
    except FileNotFoundError:
        told = False
        descriptor = os.open(folder + b"/" + name + TAKEN, flags)
    try:
        entry = Entry(folder, name, descriptor, told)
        if lock:
            fcntl.flock(descriptor, lock)
            if not folders.is_at(entry.path, os.fstat(descriptor)):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        entry.read_head()
    except BaseException:
        os.close(descriptor)
        raise
    return entry


class Delivered(Exception):
    """A message that was handed over again, because its first taker was killed, is delivered already."""


class Entry:
    """One message of the queue, in our hands until `close`.

    Where the message is the scanned text, `verdict` is what the scan said, and `known` what it was recognised by before
    (again.py). `owner` is the uid that queued it. `open` says that nothing has been decided about it in this run;
    `told` that its caller does not have it any more.
    """

    __slots__ = (
        "_head", "context", "descriptor", "folder", "known", "name", "open", "owner", "path", "start", "told",
        "verdict",
    )  # fmt: skip

    def __init__(self, folder: bytes, name: bytes, descriptor: int, told: bool = False) -> None:
        self.folder = folder
        self.name = name
        self.told = told
        self.path = folder + b"/" + name + (MAIL if told else TAKEN)
        self.descriptor = descriptor
        self.context = Context()
        self.start = 0
        self.verdict: dict[str, Any] | None = None
        self.known = b""
        self.owner = os.geteuid()
        self.open = True
        self._head = b""

    def read_head(self) -> None:
        """Raises Unreadable, OSError."""
        octets = b""
        while (end := octets.find(_HEAD_END)) < 0:
            block = os.pread(self.descriptor, 1 << 16, len(octets))
            if not block or len(octets) > _LONGEST_HEAD:
                raise Unreadable
            octets += block
        self.start = end + len(_HEAD_END)
        self._head = octets[: self.start]
        self.owner = os.fstat(self.descriptor).st_uid
        if self.owner != os.geteuid() != 0:
            # It says which commands to run, and whoever wrote it may not be our friend.
            raise PermissionError(errno.EPERM, "belongs to another user")
        records = [unpack(line) for line in self._head.split(b"\n")[:-1]]
        if records[0] != [_MAGIC, VERSION] or None in records:
            raise Unreadable
        for record in records:
            assert record is not None
            self._take(*record)

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
        """The message, with a last LF. Raises OSError."""
        raw = Spool(self.descriptor, self.start, os.fstat(self.descriptor).st_size).read()
        return raw if raw[-1:] == b"\n" else raw + b"\n"

    def replace(self, raw: bytes, verdict: dict[str, Any], known: bytes) -> None:
        """From now on the message is the scanned text, on the disk too. Raises OSError; then it is as it was."""
        symbols = [part for name, value in verdict["symbols"].items() for part in (name, b"%r" % value)]
        scan = pack(b"scan", b"%r" % verdict["score"], b"%r" % verdict["required"], verdict["action"], *symbols)
        head = self._head.removesuffix(pack(b"message")) + pack(b"known", known) + scan + pack(b"message")
        draft = self.folder + b"/." + self.name
        descriptor = os.open(draft, _FLAGS | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folders.write_all(descriptor, head)
            folders.write_all(descriptor, raw)
            os.fsync(descriptor)
            os.rename(draft, self.path)
        except BaseException:
            os.close(descriptor)
            _unlink(draft)
            raise
        os.close(self.descriptor)
        self.descriptor, self._head, self.start = descriptor, head, len(head)
        self.known, self.verdict = known, verdict
        folders.sync_folder(self.folder)

    def progress(self) -> Progress | None:
        """How far the message has come; None where nothing was written down. Raises Failure: it cannot be read."""
        path = self.progress_path()
        try:
            descriptor = os.open(path, _FLAGS)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise folders.refusal(path, error) from None
        try:
            progress = Progress(path, descriptor)
            if not progress.now:
                progress.begin(self.context.now)
        except (OSError, Unreadable) as error:
            os.close(descriptor)
            reason = "written by another version" if isinstance(error, Unreadable) else error.strerror
            raise Failure(f"{folders.text_of(path)}: {reason}") from None
        return progress

    def begin(self) -> Progress:
        """A new record of its progress. Raises OSError where it cannot be kept."""
        descriptor = os.open(self.progress_path(), _FLAGS | os.O_CREAT, 0o600)
        progress = Progress(self.progress_path(), descriptor)
        progress.begin(self.context.now)
        folders.sync_folder(self.folder)
        return progress

    def tell(self) -> None:
        """The caller is about to hear that the message is ours."""
        if self.told:
            return
        path = self.folder + b"/" + self.name + MAIL
        try:
            os.rename(self.path, path)
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
        os.unlink(self.path)
        # Last, because without it everything would be delivered again.
        _unlink(self.progress_path())

    def discard(self) -> None:
        """The message was never taken: nothing of it stays."""
        _unlink(self.folder + b"/." + self.name)
        _unlink(self.path)
        self.close()

    def close(self) -> None:
        """Let go of the message."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def write_head(self) -> None:
        """The lines above the message. Raises OSError."""
        context = self.context
        variables = [part for pair in context.variables.items() for part in pair]
        self._head = b"".join(
            (
                pack(_MAGIC, VERSION),
                pack(b"taken", b"%d" % context.now),
                pack(b"called", context.program, *context.words),
                pack(b"in", context.folder, b"%o" % context.umask),
                pack(b"with", *variables) if variables else b"",
                pack(b"message"),
            )
        )
        self.start = len(self._head)
        folders.write_all(self.descriptor, self._head)

    def progress_path(self) -> bytes:
        """Where its progress lies, or would."""
        return self.folder + b"/" + self.name + PROGRESS


def _create(folder: bytes, context: Context) -> Entry:
    """An entry still without a name that anybody looks for. Raises OSError."""
    while True:
        now = time.time_ns()
        name = b"%d.%06d.%d" % (now // 1_000_000_000, now // 1000 % 1_000_000, os.getpid())
        if any(os.path.lexists(folder + b"/" + name + suffix) for suffix in (MAIL, TAKEN, PROGRESS)):
            # The clock was set back, to the very microsecond.
            continue
        try:
            descriptor = os.open(folder + b"/." + name, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        entry = Entry(folder, name, descriptor)
        try:
            # From its first moment in the queue it is in our hands.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            entry.context = context
            entry.write_head()
        except BaseException:
            entry.discard()
            raise
        return entry


def _prepare(folder: bytes) -> None:
    """Make the folder where it is missing. Raises OSError."""
    try:
        os.stat(folder)
        return
    except FileNotFoundError:
        folders.make_folders(folders.parent_of(folder), None)
    try:
        os.mkdir(folder, 0o700)
        folders.sync_folder(folders.parent_of(folder))
    except FileExistsError:
        pass


def _unlink(path: bytes) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Not there, which is what was wanted; or left for `queue run` to sweep up.
        pass
