"""The queue: messages that rulesmith has taken over, each durable before the caller is told so.

A folder, mode 0700. `ID.mail` is a message with what it takes to try it again (entry.py). It is called `ID.taken` until
the caller is about to be told. `ID.progress` is how far it has come (progress.py), once a try has failed. IDs sort by
arrival, and end with a part of what the message is recognised by. Who works on a message holds a lock on it. `.ID` is a
message still arriving; `answered/` tells when something last worked (answers.py); `NAME.ghost` is in again.py.
"""

from __future__ import annotations

import fcntl
import posix
import time

from rulesmith import environment
from rulesmith.delivery import folders
from rulesmith.delivery.entry import FLAGS, MAIL, PROGRESS, TAKEN, Context, Entry, hint_of
from rulesmith.delivery.spool import Spool
from rulesmith.effects import Failure, stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.sources.stdin import Letter

GHOST = b".ghost"
# Variables that decide what a configuration means and what its commands find; a retry has them as they were.
# The second line is what Postfix, Exim and qmail tell of the recipient.
_VARIABLES = (
    b"HOME PATH USER LOGNAME SHELL TMPDIR TZ LANG RULESMITH_CONF "
    b"RECIPIENT ORIGINAL_RECIPIENT SENDER LOCAL LOCAL_PART DOMAIN HOST EXTENSION EXT"
).split()
_VARIABLE_PREFIXES = (b"XDG_", b"LC_")


def this_call(program: bytes, words: list[str]) -> Context:
    """The context of a message that is being handed to this process."""
    context = Context()
    context.now = int(time.time())
    context.program = program
    context.words = [environment.octets_of(word) for word in words]
    try:
        context.folder = posix.getcwdb()
    except OSError:
        # It was removed under us; paths that depend on it will be missed.
        pass
    context.umask = posix.umask(0o077)
    posix.umask(context.umask)
    variables = environment.variables()
    # Not its items: `os` makes a long way of each value.
    context.variables = {
        name: variables[name] for name in variables if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
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
        try:
            entry = _create(folder, context)
        except FileNotFoundError:
            _make(folder)
            entry = _create(folder, context)
    except OSError as error:
        return receive(None), None, f"{folders.text_of(folder)}: {error.strerror}"
    letter = None
    try:
        spool = Spool(entry.descriptor, entry.start)
        letter = receive(spool)
        if spool.failure is not None:
            raise spool.failure
        entry.complete(letter.whole())
        names = posix.listdir(folder)
        if any(may_be(name, entry) for name in names):
            from rulesmith.delivery import again  # its first taker was killed, or an equal one is being delivered

            earlier = again.find(entry)
            if earlier is not None:
                entry.discard()
                return letter, earlier, ""
        # A signal shall find it here and with the caller told so, or not here.
        stopping.held = True
        posix.fsync(entry.descriptor)
        while any(entry.name + suffix in names for suffix in (MAIL, TAKEN, PROGRESS)):
            # The clock was set back, to the very microsecond.
            entry.rename(_name() + b"." + hint_of(entry.name))
        entry.enter()
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


def may_be(name: bytes, entry: Entry) -> bool:
    """Whether a file of the queue may tell of an earlier copy of the message."""
    if name.endswith(TAKEN):
        return hint_of(name.removesuffix(TAKEN)) in (b"", hint_of(entry.name))
    return name == entry.known + GHOST


def names(folder: bytes) -> list[bytes]:
    """The IDs of all messages, oldest first. Raises OSError."""
    return sorted(
        each.rpartition(b".")[0] for each in posix.listdir(folder) if each.endswith((MAIL, TAKEN)) and each[:1] != b"."
    )


def is_waited(entry: Entry) -> bool:
    """Whether other messages have failed, and wait for something to answer."""
    try:
        names = posix.listdir(entry.folder)
    except OSError:
        return False
    own = entry.name + PROGRESS
    return any(name.endswith(PROGRESS) and name != own for name in names)


def open_entry(folder: bytes, name: bytes, wait: bool = False) -> Entry:
    """A message of the queue, locked. Raises BlockingIOError where somebody works on it, FileNotFoundError where it
    is gone, Unreadable, OSError."""
    return _open(folder, name, FLAGS, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def look(folder: bytes, name: bytes) -> Entry:
    """A message of the queue, only to be looked at. Raises FileNotFoundError, Unreadable, OSError."""
    return _open(folder, name, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0)


def _open(folder: bytes, name: bytes, flags: int, lock: int) -> Entry:
    told = True
    try:
        descriptor = posix.open(folder + b"/" + name + MAIL, flags)
    except FileNotFoundError:
        told = False
        descriptor = posix.open(folder + b"/" + name + TAKEN, flags)
    try:
        entry = Entry(folder, name, descriptor, told)
        if lock:
            fcntl.flock(descriptor, lock)
            if not folders.is_at(entry.path, posix.fstat(descriptor)):
                from errno import ENOENT  # to load it takes long

                raise FileNotFoundError(ENOENT, posix.strerror(ENOENT))
        entry.read()
    except BaseException:
        posix.close(descriptor)
        raise
    return entry


class Delivered(Exception):
    """A message that was handed over again, because its first taker was killed, is delivered already."""


def _create(folder: bytes, context: Context) -> Entry:
    """An entry still without a name that anybody looks for. Raises OSError."""
    while True:
        name = _name()
        try:
            descriptor = posix.open(folder + b"/." + name, FLAGS | posix.O_CREAT | posix.O_EXCL, 0o600)
        except FileExistsError:
            continue
        entry = Entry(folder, name, descriptor)
        entry.draft = folder + b"/." + name
        try:
            # From its first moment in the queue it is in our hands.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            entry.reserve(context)
        except BaseException:
            entry.discard()
            raise
        return entry


def _name() -> bytes:
    now = time.time_ns()
    return b"%d.%06d.%d" % (now // 1_000_000_000, now // 1000 % 1_000_000, posix.getpid())


def _make(folder: bytes) -> None:
    """The folder is missing. Raises OSError."""
    folders.make_folders(folders.parent_of(folder), None)
    try:
        posix.mkdir(folder, 0o700)
        folders.sync_folder(folders.parent_of(folder))
    except FileExistsError:
        pass
