"""A backlog at the provider, and whether all of it has come to two mailboxes: once each, and unchanged."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import corpus
from tests.chain import fetching
from tests.chain.bed import Bed
from tests.chain.by_lmtp import came_by_lmtp
from tests.chain.dovecot import USERS, Dovecot

SIZE = 2_000
_USER = USERS[0]
FOLDERS = (".", ".Received")
# Seconds in which not one message arrives, after which there is something wrong.
_PATIENCE = 120.0
# The same after the end of fetchmail.
_DELAY = 20.0
# What programs on the way put on top, or take out and put there in another form.
_TRACE = re.compile(rb"(?i)(?:return-path|delivered-to|received|x-spam[a-z-]*):.*\n(?:[ \t].*\n)*")
_SCANNED = b"\nX-Spam-Scanner: "


class NotThere(Exception):
    """Messages that do not arrive."""


class Backlog:
    """So many different messages of one size for one user."""

    def __init__(self, bed: Bed, provider: Dovecot, store: Dovecot, count: int) -> None:
        self._bed = bed
        self._provider = provider
        self._store = store
        text = corpus.message(SIZE)
        self.count = count
        self._messages = [text.replace(b"<9d1f33c0", b"<%08x" % number) for number in range(count)]

    def lay(self) -> None:
        """Put all of it at the provider, and empty the store."""
        self.clear()
        fetching.fill(self._bed, self._provider, self._messages)

    def clear(self) -> None:
        """No mail anywhere."""
        for server in (self._provider, self._store):
            server.clear()

    def wait(self, ended: Callable[[], bool]) -> float:
        """When the last message had come to both mailboxes; `ended` says whether nobody fetches any more."""
        before, moved = -1, time.monotonic()
        while True:
            left = max(self.count - self._arrived(folder) for folder in FOLDERS)
            now = time.monotonic()
            if left <= 0:
                return now
            if left != before:
                before, moved = left, now
            if now - moved > _PATIENCE or (now - moved > _DELAY and ended()):
                raise NotThere(f"{left} messages do not arrive")
            # One look costs something, too.
            time.sleep(max(0.005, left * 0.0005))

    def _arrived(self, folder: str) -> int:
        return sum(1 for _ in self._files(self._store, folder))

    def check(self, by_lmtp: bool) -> None:
        """Nothing lost, doubled, altered or not scanned, nothing left at the provider, and all came by that way."""
        sent = Counter(map(_essence, self._messages))
        for folder in FOLDERS:
            found = [path.read_bytes() for path in self._files(self._store, folder)]
            stored = Counter(map(_essence, found))
            assert stored == sent, f"{folder}: {(sent - stored).total()} lost, {(stored - sent).total()} too many"
            assert all(_SCANNED in each for each in found), f"{folder}: not everything was scanned"
            assert all(came_by_lmtp(each) == by_lmtp for each in found), f"{folder}: by another way"
        every = [path for part in ("new", "cur") for path in self._store.mail.rglob(f"{part}/*")]
        assert len(every) == self.count * len(FOLDERS), "mail went astray"
        assert not any(self._files(self._provider, ".")), "not everything was fetched"

    @staticmethod
    def _files(server: Dovecot, folder: str) -> Iterator[Path]:
        for part in ("new", "cur"):
            place = server.mail / _USER / "Maildir" / folder / part
            if place.is_dir():
                yield from map(place.joinpath, os.listdir(place))


def _essence(raw: bytes) -> bytes:
    """What a message is, whoever has put something on top of it."""
    head, _, body = raw.partition(b"\n\n")
    return _TRACE.sub(b"", head + b"\n") + b"\n" + body
