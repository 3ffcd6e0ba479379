"""Where log lines go: standard error and output, or syslog with `-l` (fdm(1)).

Where nobody listens on syslog's socket, as in most containers, all goes to standard error: syslog(3) would lose it
without a word.
"""

from __future__ import annotations

import posix

# RFC 5424 names; facility mail. The numbers are those of <syslog.h>, so that `syslog` need not be loaded.
_FACILITY_MAIL = 2 << 3
_CRIT, _INFO, _DEBUG = 2, 6, 7
_SOCKET = "/dev/log"


class Log:
    """fdm's log: warnings always, information unless quiet, details by level.

    `level` is the number of `-v`; `quiet` hides information; `ident` is the name syslog shows, None for
    standard error (warnings, details) and standard output (information).
    """

    __slots__ = ("_heard", "ident", "level", "quiet")

    def __init__(self, level: int = 0, quiet: bool = False, ident: str | None = None) -> None:
        self.level = 0 if quiet else level
        self.quiet = quiet
        self.ident = ident
        self._heard: bool | None = None  # by syslog; not asked yet

    def warn(self, text: str) -> None:
        self._put(2, _CRIT, text)

    def info(self, text: str) -> None:
        if not self.quiet:
            self._put(1, _INFO, text)

    def debug(self, level: int, text: str) -> None:
        if level <= self.level:
            self._put(2, _DEBUG, text)

    def copy(self, data: bytes) -> None:
        """Traffic of a source, to standard output (`-vvvv`)."""
        self._write(1, data)

    def _put(self, descriptor: int, priority: int, text: str) -> None:
        if self.ident is not None and self._heard is None:
            self._heard = _somebody_listens()
        if self._heard:
            import syslog  # only with -l

            assert self.ident is not None
            syslog.openlog(self.ident, syslog.LOG_PID, _FACILITY_MAIL)
            # syslog takes no NUL, and text from a mail may hold one.
            syslog.syslog(priority, text.replace("\0", "\\0").encode("utf-8", "replace").decode())
            return
        if self.ident is not None:
            descriptor = 2
        self._write(descriptor, text.encode("utf-8", "surrogateescape") + b"\n")

    @staticmethod
    def _write(descriptor: int, data: bytes) -> None:
        try:
            while data:
                data = data[posix.write(descriptor, data) :]
        except OSError:
            # A closed or full standard error must not decide what becomes of the mail.
            return


def _somebody_listens() -> bool:
    """Whether a line given to syslog reaches anybody."""
    import _socket  # `socket` costs more than the question

    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        line.connect(_SOCKET)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return False
    except OSError:
        # Something is there, of another type or shut for a moment; syslog(3) knows what to do.
        return True
    finally:
        line.close()
    return True


def occupy(streams: tuple[int, ...]) -> None:
    """Give standard streams that are closed to /dev/null.

    Else the next file that we open gets the number: a message of the queue is "standard error" then, and a line of the
    log is written over it. It is open for reading only, so that nobody believes he has written something.
    """
    for number in streams:
        try:
            posix.fstat(number)
        except OSError:
            null = posix.open("/dev/null", posix.O_RDONLY)
            if null != number:
                posix.dup2(null, number)
                posix.close(null)
