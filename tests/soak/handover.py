"""What fetchmail handed over and what it was told, written down by a shell script before the door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# fetchmail puts the sender for %F, which is another one for each letter.
COMMAND = "/config/door %F"
SCRIPT = """\
#!/bin/sh
cd ~
read now rest </proc/uptime
echo "begin $$ $POLL $1 $now" >>/config/soak/handovers
LETTER=$1 /usr/bin/fdm -a stdin -f ~/fdm.conf -m -v fetch 2>/config/soak/doors/$1.$POLL.$$
status=$?
read now rest </proc/uptime
echo "end $$ $POLL $1 $now $status" >>/config/soak/handovers
exit $status
"""
_QUEUED = re.compile(r"stays in the queue \(([0-9.]+)\)")


@dataclass
class Handover:
    """One message to one door; `ended` and `status` are there when fetchmail could read the status."""

    letter: str
    poll: int
    began: float
    log: Path
    ended: float = 0.0
    status: int | None = None

    def said(self) -> str:
        """The door's log."""
        return self.log.read_text(errors="backslashreplace") if self.log.exists() else ""

    def entry(self) -> str:
        """The message's name in the queue; "" where the log has none."""
        found = _QUEUED.search(self.said())
        return found[1] if found else ""


class Book:
    """All handovers so far."""

    def __init__(self, folder: Path) -> None:
        """`folder` is /config/soak, from outside."""
        (folder / "doors").mkdir(parents=True)
        self._folder = folder
        self._file = folder / "handovers"
        self._file.touch()
        self._at = 0
        self._open: dict[tuple[str, str, str], Handover] = {}
        self.of: dict[str, list[Handover]] = {}

    def read(self) -> None:
        """Take in what was written since the last time."""
        with self._file.open("rb") as file:
            file.seek(self._at)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.decode().splitlines():
            word, process, poll, sender, when, *status = line.split(" ")
            name = sender.partition("@")[0]
            if word == "begin":
                log = self._folder / "doors" / f"{sender}.{poll}.{process}"
                handover = Handover(name, int(poll), float(when), log)
                self._open[process, poll, sender] = handover
                self.of.setdefault(name, []).append(handover)
            else:
                handover = self._open.pop((process, poll, sender))
                handover.ended, handover.status = float(when), int(status[0])

    def told(self, letter: str) -> int:
        """How often the door has taken a letter: exit status 0."""
        return sum(each.status == 0 for each in self.of.get(letter, ()))

    def at_work(self) -> int:
        """How many doors have not ended."""
        return len(self._open)
