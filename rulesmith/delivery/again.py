"""A message that is handed over again because the process that had taken it was killed before it could say so.

The queue has the first copy. If it is still there, the run goes on with that one, and what is delivered is not
delivered again. If `queue run` has delivered it meanwhile, it has left a ghost: an empty file with the message's name,
for which one more copy counts as delivered.

That must not happen to another message, so here the way counts by which it came: the provider's Received fields tell
apart even two letters that are equal otherwise. Whom this does not recognise is at worst delivered twice.
"""

from __future__ import annotations

import posix
import time

from rulesmith.delivery import queue
from rulesmith.delivery.entry import TAKEN
from rulesmith.delivery.progress import Unreadable
from rulesmith.effects import Failure
from rulesmith.limits import GHOST_SECONDS, JOURNAL_PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.entry import Entry

_PAUSE = 0.02


def find(entry: Entry) -> Entry | None:
    """The message's first copy, in our hands; None where it has none.

    Raises Delivered where that is delivered; Failure where another process is at work on it: come again later.
    """
    name = entry.recognise()
    until = time.monotonic() + JOURNAL_PATIENCE
    while True:
        busy = False
        for file in posix.listdir(entry.folder):
            if not queue.may_be(file, entry):
                continue
            other = file.removesuffix(TAKEN)
            if other == file:
                _lay(entry.folder + b"/" + file)
            elif _is_same(entry.folder, other, name):
                try:
                    earlier = queue.open_entry(entry.folder, other)
                except BlockingIOError:
                    busy = True
                    continue
                except (OSError, Unreadable):
                    continue
                if not earlier.told:
                    return earlier
                # Its caller has just been told, and does not come again: this one is another.
                earlier.close()
        if not busy:
            return None
        if time.monotonic() >= until:
            raise Failure("another process is delivering this message")
        time.sleep(_PAUSE)


def remember(entry: Entry) -> None:
    """Leave a ghost: the caller of this message was never told. Raises OSError."""
    path = entry.folder + b"/" + entry.recognise() + queue.GHOST
    posix.close(posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600))
    posix.utime(path)


def _lay(path: bytes) -> None:
    """One copy for one ghost. Raises Delivered if it was young enough."""
    try:
        age = time.time() - posix.stat(path).st_mtime
        posix.unlink(path)
    except FileNotFoundError:
        return
    # A clock may be set back; a ghost of the far future is none.
    if abs(age) < GHOST_SECONDS:
        raise queue.Delivered


def _is_same(folder: bytes, other: bytes, name: bytes) -> bool:
    try:
        entry = queue.look(folder, other)
    except (OSError, Unreadable):
        return False
    try:
        return entry.recognise() == name
    finally:
        entry.close()
