"""What the queue holds, for people and for `queue run`: every message with how far it has come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rulesmith.delivery import queue
from rulesmith.delivery.entry import PROGRESS
from rulesmith.delivery.progress import Progress, Unreadable
from rulesmith.delivery.schedule import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class State:
    """One message: `since` when it came, `tries` that failed, `next` when it is tried at the latest (None: now).

    `done` are the deliveries that are made, `left` the one that it waits for, as far as a try has told; `reason` is
    the last failure. Times are Unix times, texts octets.
    """

    __slots__ = ("cause", "done", "last", "left", "name", "next", "reason", "since", "stubborn", "tries")

    def __init__(self, name: bytes, since: int, progress: Progress | None) -> None:
        self.name = name
        self.since = since
        self.tries = 0
        self.last: int | None = None
        self.next: int | None = None
        self.reason = self.cause = b""
        self.stubborn = 0
        self.done: list[bytes] = []
        self.left: list[bytes] = []
        if progress is not None:
            self.tries, self.last, self.stubborn = progress.tries, progress.last, progress.stubborn
            self.reason, self.cause = progress.reason, progress.cause
            self.done = progress.done
            self.left = [progress.what] if progress.what else []
            self.next = self.waiting().next()

    def waiting(self) -> Waiting:
        """What the schedule has to know."""
        return Waiting(self.name, self.cause, self.tries, self.last, self.stubborn)


def progress_of(folder: bytes, name: bytes) -> Progress | None:
    """How far a message has come, only to be looked at; None where nothing is known. Raises OSError."""
    path = folder + b"/" + name + PROGRESS
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return _within(folder, name)
    try:
        return Progress(path, descriptor)
    except Unreadable:
        return None
    finally:
        os.close(descriptor)


def _within(folder: bytes, name: bytes) -> Progress | None:
    """What the file of the message says of that itself."""
    try:
        entry = queue.look(folder, name)
    except (PermissionError, Unreadable):
        return None
    try:
        progress = entry.written(_FLAGS)
    except Unreadable:
        return None
    finally:
        entry.close()
    if progress is not None:
        progress.close()
    return progress


def states(folder: bytes) -> Iterator[State]:
    """All messages of a queue, oldest first. Raises OSError; a folder that is missing holds none."""
    try:
        names = queue.names(folder)
    except FileNotFoundError:
        return
    for name in names:
        try:
            yield State(name, int(name.partition(b".")[0]), progress_of(folder, name))
        except (FileNotFoundError, ValueError):
            # Delivered since, or none of ours.
            continue
