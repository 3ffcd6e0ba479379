"""A message of the queue that no rule could look at: the configuration is broken, or we are. Rare, and cold."""

from __future__ import annotations

import time

from rulesmith.afterwards import CONFIGURATION
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.queue import Entry
    from rulesmith.log import Log


def defer(entry: Entry, reason: str, log: Log) -> None:
    """Write down why it waits; it is tried again when the queue comes to it."""
    entry.open = False
    log.warn(f"the message stays in the queue ({entry.name.decode()}): {reason}")
    try:
        progress = entry.progress() or entry.begin()
        progress.fail(int(time.time()), reason.encode("utf-8", "surrogateescape"), CONFIGURATION)
    except (OSError, Failure) as error:
        log.warn(f"that cannot be written down: {error}")
