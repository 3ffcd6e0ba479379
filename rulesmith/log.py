"""Where log lines go: standard error and output, or syslog with `-l` (fdm(1))."""

from __future__ import annotations

import os

# RFC 5424 names; facility mail. The numbers are those of <syslog.h>, so that `syslog` need not be loaded.
_FACILITY_MAIL = 2 << 3
_CRIT, _INFO, _DEBUG = 2, 6, 7


class Log:
    """fdm's log: warnings always, information unless quiet, details by level.

    `level` is the number of `-v`; `quiet` hides information; `ident` is the name syslog shows, None for
    standard error (warnings, details) and standard output (information).
    """

    __slots__ = ("ident", "level", "quiet")

    def __init__(self, level: int = 0, quiet: bool = False, ident: str | None = None) -> None:
        self.level = 0 if quiet else level
        self.quiet = quiet
        self.ident = ident

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
        if self.ident is not None:
            import syslog  # only with -l

            syslog.openlog(self.ident, syslog.LOG_PID, _FACILITY_MAIL)
            # syslog takes no NUL, and text from a mail may hold one.
            syslog.syslog(priority, text.replace("\0", "\\0").encode("utf-8", "replace").decode())
            return
        self._write(descriptor, text.encode("utf-8", "surrogateescape") + b"\n")

    @staticmethod
    def _write(descriptor: int, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except OSError:
            # A closed or full standard error must not decide what becomes of the mail.
            return
