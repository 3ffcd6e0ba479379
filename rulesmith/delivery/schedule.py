"""When a message of the queue is tried again.

Two things may be wrong. What the message waits for does not answer: then one message of those that wait for it is
tried every PROBE seconds, and when that works, all. Or the message itself is at fault, and others get through: then
it is tried after pauses that grow.
"""

from __future__ import annotations

# Seconds: the first pause, what each is longer than the one before, the longest.
FIRST, FACTOR, LONGEST = 5, 3, 900
# Seconds between two looks whether what failed answers again.
PROBE = 30
# So many failures in a row while others got through by the same way, and the message is at fault itself.
STUBBORN = 3


def pause(tries: int) -> int:
    """Seconds from the failed try with this number to the next."""
    return min(FIRST * int(FACTOR ** min(max(tries - 1, 0), 10)), LONGEST)


class Waiting:
    """A message that waits: its ID, what it waits for, and its tries (Unix times; `last` None before the first)."""

    __slots__ = ("cause", "last", "name", "stubborn", "tries")

    def __init__(self, name: bytes, cause: bytes, tries: int, last: int | None, stubborn: int) -> None:
        self.name = name
        self.cause = cause
        self.tries = tries
        self.last = last
        self.stubborn = stubborn >= STUBBORN

    def next(self) -> int | None:
        """When it is tried at the latest (Unix time); None: now."""
        return None if self.last is None else self.last + pause(self.tries)


def due(waiting: list[Waiting], answered: float, now: float) -> list[Waiting]:
    """Which messages are to be tried now, of those that wait for one thing that last worked at `answered`.

    All are in the order of arrival, and so is the answer.
    """
    probe = [each for each in waiting if not each.stubborn and each.last is not None]
    found = {
        each.name
        for each in waiting
        if each.last is None
        or now >= each.last + pause(each.tries)
        or now < each.last  # the clock was set back
        or (not each.stubborn and answered > each.last)
    }
    if probe and now >= max(each.last or 0 for each in probe) + PROBE:
        # The oldest, so that order is kept; and the one that has waited longest, in case the oldest is at fault.
        found.add(probe[0].name)
        found.add(min(probe, key=lambda each: each.last or 0).name)
    return [each for each in waiting if each.name in found]
