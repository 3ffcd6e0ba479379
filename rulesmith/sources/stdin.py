"""One message on standard input, as an MDA gets it."""

from __future__ import annotations

import posix

from rulesmith import environment
from rulesmith.effects import Failure
from rulesmith.limits import SPOOL_MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select

    from rulesmith.delivery.spool import Spool

_CHUNK = 1 << 18
# S_IFMT and S_IFREG of <sys/stat.h>: to load `stat` takes longer.
_FORMAT, _REGULAR = 0o170000, 0o100000
# PF_EXITING, in the flags of proc_pid_stat(5).
_DYING = 4


class TooBig(Failure):
    """The message is larger than `maximum-size`; it was read to its end and thrown away."""


def holds_message() -> bool:
    """Whether something was handed to us on standard input: a pipe, a socket or a file, but no terminal."""
    try:
        mode = posix.fstat(0).st_mode
    except OSError:
        return False
    from _stat import S_ISFIFO, S_ISREG, S_ISSOCK  # most runs do not ask

    return S_ISFIFO(mode) or S_ISREG(mode) or S_ISSOCK(mode)


def drain(timeout: int) -> None:
    """Read standard input to its end and throw it away.

    The caller (fetchmail) takes a reader that goes away early for a broken pipe and gives up the whole
    mailbox, so whatever else is wrong the message is read.
    """
    try:
        for _ in _chunks(timeout):
            pass
    except Failure:
        return


def receive(maximum: int, timeout: int, spool: Spool | None = None) -> Letter:
    """Read the message to its end.

    `maximum` is in octets, `timeout` in seconds of silence. Raises TooBig, and Failure with fdm's words when
    there is no message or only a part of it. More than `maximum` is never kept anywhere. Of less,
    limits.SPOOL_MEMORY are kept in memory and more in a file that nobody else can open; or all in `spool`, where the
    caller has one.
    """
    caller = _caller()
    try:
        posix.fstat(0)
    except OSError:
        raise Failure("stdin is invalid") from None
    if posix.isatty(0):
        raise Failure("stdin is a tty. ignoring")
    letter = Letter(spool)
    size = 0
    over = 0  # octets up to the end of the line in which the limit was passed, -1 while that has not come
    for chunk in _chunks(timeout):
        size += len(chunk)
        if size <= maximum:
            letter.add(chunk)
        elif over <= 0:
            letter.clear()
            at = chunk.find(b"\n", 0 if over else max(0, maximum - size + len(chunk)))
            over = size - len(chunk) + at + 1 if at >= 0 else -1
    if over:
        raise TooBig(f"message too big: {over if over > 0 else size + 1} bytes")
    if not size:
        raise Failure("empty message")
    if caller and _has_ended(caller):
        # A pipe ends the same way when its message is whole and when its writer is killed in the middle of it. This
        # one brings again what he was not told about (RFC 5321, 4.1.1.4: nothing is handed over before the answer).
        raise Failure(f"fetchmail has died: the {size} bytes that came may be a part of the message")
    if letter.is_open_ended() and size == maximum:
        raise TooBig(f"message too big: {size + 1} bytes")
    return letter


def _caller() -> int:
    """The process number of the fetchmail that started us; 0 for others, who may well leave without waiting for us.

    RULESMITH_CALLER is its number as it was when it was started. Without that it is known by its name, as long as it
    has not died before we ask, and only where no other program is between it and us.
    """
    told = environment.variable(b"RULESMITH_CALLER") or b""
    if told.isdigit():
        return int(told)
    number = posix.getppid()
    try:
        with open(f"/proc/{number}/comm", "rb", 0) as name:
            return number if name.read(16) == b"fetchmail\n" else 0
    except OSError:
        return 0


def _has_ended(caller: int) -> bool:
    """Whether the process that has started us is dead or dying: it lets go of its files before it has died."""
    try:
        with open(f"/proc/{caller}/stat", "rb", 0) as about:
            flags = int(about.read(1000).rpartition(b")")[2].split()[6])
    except OSError:
        return True  # nobody has this number any more
    return bool(flags & _DYING)


class Letter:
    """A message that was read: short in memory, long in a file; all of it in `spool` where that is given.

    Where the file cannot be written the memory has to do.
    """

    __slots__ = ("_chunks", "_last", "_may_open", "_size", "_spool")

    def __init__(self, spool: Spool | None = None) -> None:
        self._chunks: list[bytes] = []  # everything, or nothing where it is too long
        self._size = 0
        self._last = b""
        self._spool = spool
        self._may_open = spool is None

    def add(self, chunk: bytes) -> None:
        """Take the next octets."""
        before = self._size
        self._size += len(chunk)
        self._last = chunk[-1:]
        if self._size > SPOOL_MEMORY and self._may_open:
            from rulesmith.delivery import spool  # few messages are so long

            self._may_open = False
            self._spool = spool.open_private(self._chunks)
        if self._spool is not None:
            if self._spool.write(chunk):
                if self._size > SPOOL_MEMORY:
                    self._chunks.clear()
                    return
            else:
                if before > SPOOL_MEMORY:
                    self._chunks = [self._spool.read()]
                self._spool = None
        self._chunks.append(chunk)

    def clear(self) -> None:
        """Forget it all."""
        self._chunks.clear()
        self._spool = None

    @property
    def in_memory(self) -> bool:
        """Whether it is there without its file."""
        return bool(self._chunks)

    def is_open_ended(self) -> bool:
        """Whether its last line has no end; it gets one, as in fdm."""
        return self._last != b"\n"

    def whole(self) -> bytes:
        """Its octets, with a last LF. Raises OSError where a file has become unreadable."""
        if self._chunks:
            if len(self._chunks) > 1 or self.is_open_ended():
                self._chunks = [b"".join((*self._chunks, b"\n" if self.is_open_ended() else b""))]
                self._last = b"\n"
            return self._chunks[0]
        assert self._spool is not None
        raw = self._spool.read()
        return raw + b"\n" if self.is_open_ended() else raw


def _poll() -> select.poll | None:
    """What waits for standard input; None for a file, which has nothing to wait for."""
    if posix.fstat(0).st_mode & _FORMAT == _REGULAR:
        return None
    import select

    poll = select.poll()
    poll.register(0, select.POLLIN)
    return poll


def _chunks(timeout: int):  # type: ignore[no-untyped-def]  # Iterator would have to be imported
    poll = _poll()
    while True:
        if poll is not None and not poll.poll(timeout * 1000):
            raise Failure("io: poll: Connection timed out")
        try:
            chunk = posix.read(0, _CHUNK)
        except OSError as error:
            raise Failure("io: read: " + posix.strerror(error.errno or 0)) from None
        if not chunk:
            return
        yield chunk
