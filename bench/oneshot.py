"""One message, one process: rulesmith and others, run in turns."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench import corpus
from bench.bars import LDA, PYTHON, Row
from bench.contenders import OURS, Contenders
from bench.spawn import Cost, cost, peak

FIRST_RUNS = 9


@dataclass(frozen=True)
class Costs:
    """What each program took, in the order of the rounds."""

    of: Mapping[str, Sequence[Cost]]

    def middle(self, name: str, what: str) -> float:
        return float(median(getattr(each, what) for each in self.of[name]))

    def ratio(self, to: str, what: str) -> float:
        """The median of the ratios of the pairs, which ran next to each other."""
        pairs = zip(self.of[OURS], self.of[to], strict=True)
        return float(median(getattr(one, what) / getattr(other, what) for one, other in pairs))


class Place:
    """A folder with a configuration and a message, and the maildir that is delivered to."""

    def __init__(self, contenders: Contenders) -> None:
        self.contenders = contenders
        self.work = contenders.work
        self.env = {"HOME": str(self.work), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C", "USER": "nobody"}
        self.maildir = self.work / "mail"
        self.conf = self.work / "fdm.conf"
        self.message = self.work / "message"

    def configure(self, text: str, message: bytes) -> None:
        self.conf.unlink(missing_ok=True)
        self.conf.write_text(text)
        self.conf.chmod(0o600)
        self.message.write_bytes(message)
        shutil.rmtree(self.work / ".cache", ignore_errors=True)
        # A file that has just changed may change again unseen, so its compiled program would not be kept yet.
        time.sleep(0.1)

    def once(self, name: str) -> Cost:
        return cost(self._line(name), str(self.message), self.env)

    def peak(self) -> float:
        return peak(self.contenders.python, self._line(OURS), str(self.message), self.env)

    def clean(self) -> None:
        """Remove what was delivered, but no folder: who comes first would have to make it again."""
        for folder in (self.maildir, self.work / "sieved"):
            for path in folder.glob("new/*"):
                path.unlink()

    def forget(self) -> None:
        """As after an edit: the compiled program is of no use any more."""
        shutil.rmtree(self.work / ".cache")

    def _line(self, name: str) -> Sequence[str]:
        words = self.contenders.lines[name]
        return words if name in (LDA, PYTHON) else [*words, "-f", str(self.conf), "-a", "stdin", "-m", "fetch"]


def measure(place: Place, row: Row, rounds: int) -> Costs:
    """One row of the table: everybody once to warm up, then in turns."""
    place.configure(
        corpus.worst_rules(row.rules, place.maildir)
        if row.worst
        else corpus.rules(row.rules, place.maildir, body=True),
        corpus.message(row.octets),
    )
    names = [OURS, *(name for name in row.limits if name in place.contenders.lines)]
    if LDA in names:
        place.contenders.compile_sieve(corpus.sieve(row.rules))
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names:
            took = place.once(name)
            if number:
                costs[name].append(took)
        place.clean()
    return Costs(costs)


def memory(place: Place, rules: int, octets: int) -> float:
    """MiB, the median of some runs with the program compiled."""
    place.configure(corpus.rules(rules, place.maildir, body=True), corpus.message(octets))
    place.once(OURS)
    found = median(place.peak() for _ in range(5))
    place.clean()
    return found


def first_message(place: Place, rules: int) -> float:
    """Milliseconds of CPU of a run that has to compile."""
    place.configure(corpus.rules(rules, place.maildir, body=True), corpus.message(2_000))
    spent = []
    for _ in range(FIRST_RUNS):
        spent.append(place.once(OURS).cpu)
        place.forget()
    place.clean()
    return median(spent)
