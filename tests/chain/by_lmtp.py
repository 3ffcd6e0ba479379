"""What came to Dovecot by its LMTP server: what that has put on top, and where it is stored."""

from __future__ import annotations

import re

from tests.chain.dovecot import Dovecot

# `Delivered-To` is not there where the message has gone to several mailboxes at once.
_ON_TOP = re.compile(
    rb"Return-Path: <.*>\n(?:Delivered-To: .*\n)?Received: from .*\n(?:\t.*\n)*?\t.* with LMTP\n(?:\t.*\n)*"
)

# What `-m` may say; by either way the message is in the same folder.
FOLDERS = [
    "Plain",
    "a.b",
    "A/b",
    "'a b'",
    '"it\'s"',
    "ä",
    "a+b",
    "INBOX",
    "inbox",
    "-x",
    "'a&b'",
    "x@y",
    ".a",
    "a..b",
    "''",
]


def came_by_lmtp(found: bytes) -> bool:
    """Whether a stored message did."""
    return _ON_TOP.match(found) is not None


def without_dovecots(found: bytes) -> bytes:
    """A stored message without what Dovecot has put on top of it, if it came by LMTP."""
    return _ON_TOP.sub(b"", found, count=1) if came_by_lmtp(found) else found


def stored(dovecot: Dovecot) -> dict[str, list[bytes]]:
    """All new messages, by the folder of the disk that they lie in."""
    found: dict[str, list[bytes]] = {}
    for path in dovecot.mail.rglob("new/*"):
        found.setdefault(str(path.parent.parent.relative_to(dovecot.mail)), []).append(path.read_bytes())
    return found
