"""The record of an unfinished message where the caller keeps the message: which file of the journal is its.

Loaded when the journal holds anything, or when a message needs a record.
"""

from __future__ import annotations

import posix

from rulesmith import environment
from rulesmith.delivery import journal
from rulesmith.mail import header, identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.progress import Progress
    from rulesmith.options import Options


def find(folder: bytes, raw: bytes, config: str, options: Options, account: bytes) -> Progress | None:
    """How far an earlier try has come; None without one.

    Raises Failure where another process is at work on it, or where its record cannot be read.
    """
    return journal.find(folder, _name(raw, config, options, account))


def create(folder: bytes | None, raw: bytes, config: str, options: Options, account: bytes, now: int) -> Progress:
    """A new record. Raises OSError where it cannot be kept."""
    if folder is None:
        raise OSError(0, "there is no HOME to keep it in")
    return journal.create(folder, _name(raw, config, options, account), now)


def _name(raw: bytes, config: str, options: Options, account: bytes) -> bytes:
    """The same for the same message by the same configuration and account, called for the same person.

    Two users may get equal letters, and what is stored for one is not there for the other: paths of a configuration
    start at the working directory, its commands see HOME and RECIPIENT, and -D and -u say for whom it is.
    """
    raw = header.strip_from_line(raw)
    known = identity.identity(raw, header.boundary(raw))
    try:
        here = posix.getcwdb()
    except FileNotFoundError:
        here = b""
    told = [environment.variable(name) or b"" for name in (b"HOME", b"RECIPIENT")]
    person = [*told, *map(environment.octets_of, (options.user or "", *options.macros))]
    return identity.digest(_absolute(config), account, known, here, *person)[:20].hex().encode()


def _absolute(path: str) -> bytes:
    """The path from the root on, without `.` and `..`; mostly it is one."""
    parts = path.split("/")
    if parts[0] or not {"", ".", ".."}.isdisjoint(parts[1:]):
        import os  # to load it takes longer than all the rest

        path = os.path.abspath(path)
    return environment.octets_of(path)
