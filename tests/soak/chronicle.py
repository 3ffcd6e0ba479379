"""What happened when: the faults, fetchmail's polls, and whom a kill has met."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rulesmith.limits import STOP_GRACE

# Seconds that one message takes at most, with deliveries that hang.
_AT_WORK = 15.0


def now() -> float:
    """Seconds since the machine was started, as in /proc/uptime, which shell scripts can read."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Event:
    when: float
    text: str
    letter: str = ""


@dataclass
class Chronicle:
    """`breaks` are the times at which fetchmail died, or its provider, or at which a poll ended with an error; `gaps`
    are the times in which records could not be written."""

    events: list[Event] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    kills: dict[str, list[Event]] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    started: float = field(default_factory=now)

    def note(self, text: str, letter: str = "") -> None:
        self.events.append(Event(now(), text, letter))

    def kill(self, text: str, letter: str) -> None:
        """A process that was at work on this letter was killed."""
        self.note(text, letter)
        self.kills.setdefault(letter, []).append(self.events[-1])

    def stop(self, text: str, letter: str, began: float, ended: float) -> None:
        """A process at work on this letter was told to end, and did: soon, or by killing what it had started."""
        if ended - began < STOP_GRACE:
            self.note(text, letter)
        else:
            self.kill(f"{text}, which took {ended - began:.1f} seconds", letter)

    def broken(self) -> None:
        """fetchmail may bring again what it was told is done."""
        self.breaks.append(now())

    @contextlib.contextmanager
    def unwritable(self) -> Iterator[None]:
        """Meanwhile the door can write nothing down about what it has delivered."""
        began = now()
        yield
        self.gaps.append((began, now()))

    def in_gap(self, when: float) -> bool:
        """Whether somebody who was at work then may have been unable to write something down."""
        return any(began <= when <= ended + _AT_WORK for began, ended in self.gaps)

    def between(self, begin: float, end: float, letter: str) -> Iterator[Event]:
        """What happened then to everybody and to that letter."""
        for event in self.events:
            if event.letter in ("", letter) and begin <= event.when <= end:
                yield event
