"""A message of the queue that no rule could look at: the configuration is broken, or we are. Rare, and cold."""

from __future__ import annotations

import time

from rulesmith import environment
from rulesmith.afterwards import CONFIGURATION
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.entry import Entry
    from rulesmith.log import Log


def defer(entry: Entry, reason: str, log: Log) -> None:
    """Write down why it waits; it is tried again when the queue comes to it."""
    entry.open = False
    log.warn(f"the message stays in the queue ({entry.name.decode()}): {reason}")
    tries = 0
    try:
        progress = entry.progress() or entry.begin()
        try:
            progress.fail(int(time.time()), reason.encode("utf-8", "surrogateescape"), CONFIGURATION)
        finally:
            # It may hold the lock of the message.
            progress.close()
        tries = progress.tries
    except (OSError, Failure) as error:
        log.warn(f"that cannot be written down: {error}")
    if environment.variable(b"RULESMITH_SUMMARY"):
        _tell(entry, reason, tries)


def _tell(entry: Entry, reason: str, tries: int) -> None:
    """The line that sums up what became of a message."""
    from rulesmith.summary import wanted

    told = wanted(entry.raw)
    assert told is not None
    told.tell("queued" if tries < 2 else "deferred", reason, entry, tries)
