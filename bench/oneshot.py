"""One message, one process: rulesmith and the real fdm, run in turns, at several numbers of rules and sizes."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import corpus
from bench.spawn import Cost, cost

RULES = (1, 10, 100, 1000, 10000)
SIZES = {"2 KB": 2_000, "50 KB": 50_000, "5 MB": 5_000_000}
# Above so many octets times rules fdm needs minutes for its body rules; there all rules are about headers.
BODY_LIMIT = 1_000_000_000
ROUNDS = 31  # at most, ...
SECONDS = 20.0  # ... while one cell of the table takes no longer, ...
FEWEST = 3  # ... but so many always


@dataclass(frozen=True)
class Cell:
    """One number of rules and one size: the costs of each program in the order of the rounds."""

    rules: int
    size: str
    body: bool
    first: float  # ms of rulesmith's first run, which compiles
    costs: Mapping[str, Sequence[Cost]]

    def ratio(self, of: str, to: str, what: str) -> float:
        """The median of the ratios of the pairs, which ran next to each other."""
        pairs = zip(self.costs[of], self.costs[to], strict=True)
        return median(getattr(one, what) / getattr(other, what) for one, other in pairs)


def cells(programs: Mapping[str, Sequence[str]], ours: str, work: Path) -> Iterator[Cell]:
    """Measure one cell after the other; `programs` are command lines that take fdm's arguments."""
    for size, octets in SIZES.items():
        message = work / "message"
        message.write_bytes(corpus.message(octets))
        for rules in RULES:
            yield _cell(programs, ours, work, message, rules, size)


def _cell(programs: Mapping[str, Sequence[str]], ours: str, work: Path, message: Path, rules: int, size: str) -> Cell:
    env = {"HOME": str(work), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}
    maildir = work / "mail"
    body = rules * message.stat().st_size <= BODY_LIMIT
    conf = work / "fdm.conf"
    conf.unlink(missing_ok=True)
    conf.write_text(corpus.rules(rules, maildir, body))
    conf.chmod(0o600)
    # A file that has just changed may change again unseen, so its compiled program would not be kept yet.
    os.utime(conf, (time.time() - 60, time.time() - 60))

    def once(name: str) -> Cost:
        return cost([*programs[name], "-f", str(conf), "-a", "stdin", "-m", "fetch"], str(message), env)

    first = {name: once(name).wall for name in programs}
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    start = time.monotonic()
    for number in range(ROUNDS):
        if number >= FEWEST and time.monotonic() - start > SECONDS:
            break
        for name in programs:
            costs[name].append(once(name))
        shutil.rmtree(maildir)
    print(f"  {rules} rules, {size}: {len(costs[ours])} rounds", file=sys.stderr)
    return Cell(rules, size, body, first[ours], costs)
