"""The record of an unfinished message where the caller keeps the message: which file of the journal is its.

Loaded when the journal holds anything, or when a message needs a record.
"""

from __future__ import annotations

import os

from rulesmith.delivery import journal
from rulesmith.mail import header, identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.delivery.progress import Progress


def find(folder: bytes, raw: bytes, config: str, account: bytes, say: Callable[[str], None]) -> Progress | None:
    """How far an earlier try has come; None without one. Raises Failure where another process is at work on it."""
    return journal.find(folder, _name(raw, config, account), say)


def create(folder: bytes | None, raw: bytes, config: str, account: bytes, now: int) -> Progress:
    """A new record. Raises OSError where it cannot be kept."""
    if folder is None:
        raise OSError(0, "there is no HOME to keep it in")
    return journal.create(folder, _name(raw, config, account), now)


def _name(raw: bytes, config: str, account: bytes) -> bytes:
    """The same for the same message by the same configuration and account: two users may get equal letters."""
    raw = header.strip_from_line(raw)
    known = identity.identity(raw, header.boundary(raw))
    return identity.digest(os.fsencode(os.path.abspath(config)), account, known)[:20].hex().encode()
