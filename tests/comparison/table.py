"""The table: a house, every fault on every candidate in it, and a line of Markdown for each fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.comparison.candidate import Candidate, candidates
from tests.comparison.fault import FAULTS, Fault
from tests.comparison.tally import Tally
from tests.comparison.trial import Trial
from tests.faults.conftest import SMALL
from tests.faults.house import House
from tests.faults.spam import Spam


def measure(house: House, spam: Spam, fault: Fault, candidate: Candidate) -> Tally:
    """One cell."""
    return Trial(house, spam, candidate, fault.plans()).run(fault.act)


def chosen(words: Iterable[str]) -> list[Fault]:
    """The faults in whose names one of the words is; all of them without any."""
    words = list(words)
    return [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]


def rows(folder: Path, words: Sequence[str] = ()) -> Iterator[str]:
    """The lines, each as soon as it is measured."""
    all_candidates = candidates()
    bed = Bed(SMALL, spam=True)
    try:
        house, spam = House(bed, Authority(folder)), Spam(bed)
        yield line("fault", "messages", *(each.name for each in all_candidates))
        yield line(*["---"] * (2 + len(all_candidates)))
        for fault in chosen(words):
            found = [str(measure(house, spam, fault, each)) for each in all_candidates]
            yield line(fault.name, str(len(fault.plans())), *found)
    finally:
        bed.close()


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
