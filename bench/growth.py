"""How the CPU time of one message grows: measured by one process, which may have stepped down, drawn by another."""

from __future__ import annotations

import json
import sqlite3  # noqa: F401  # for the cache; once root has stepped down it may be out of reach
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import corpus
from bench.bars import STARTED22
from bench.contenders import OURS
from bench.oneshot import Place
from rulesmith.delivery.keys import Cache

ROUNDS = 9
_HEAD = 'account "stdin" disabled stdin\nset no-received\n'


@dataclass
class Growth:
    """One picture: what grows, how far, and milliseconds of CPU by program."""

    name: str
    what: str
    steps: Sequence[int]
    costs: dict[str, list[float]]


def measured(place: Place) -> Iterator[Growth]:
    """All of them, one after the other."""
    both, ours = (OURS, STARTED22), (OURS,)
    short = corpus.message(2_000)

    def rules(count: int) -> None:
        place.configure(corpus.rules(count, place.maildir, body=True), short)

    def size(octets: int) -> None:
        place.configure(corpus.rules(10, place.maildir, body=True), corpus.message(octets))

    def fields(count: int) -> None:
        more = b"".join(b"X-Field-%d: the letter of the week\n" % number for number in range(count))
        place.configure(corpus.rules(100, place.maildir, body=True), more + short)

    def keys(count: int) -> None:
        path = place.work / "keys"
        path.unlink(missing_ok=True)
        cache = Cache(bytes(path))
        cache.merge([(b"<%d@example.com>" % number, 1_700_000_000 + number) for number in range(count)])
        cache.close()
        new = f'match not in-cache "{path}" key "%[message_id]" action maildir "{place.maildir}"'
        place.configure(f'{_HEAD}cache "{path}"\n{new}\nmatch all action drop\n', short)

    def mailbox(mebibytes: int) -> None:
        box = place.work / "box"
        box.unlink(missing_ok=True)
        mail = b"From anna Tue Mar 11 09:02:40 2025\n" + corpus.message(1 << 20) + b"\n"
        with box.open("wb") as file:
            for _ in range(mebibytes):
                file.write(mail)
        box.chmod(0o600)
        place.configure(f'{_HEAD}match all action mbox "{box}"\n', short)

    yield _grown(place, "rules", "rules", (1, 10, 100, 1000, 3000, 10_000), rules, both)
    yield _grown(place, "size", "octets of the message", (2_000, 20_000, 200_000, 1_000_000, 5_000_000), size, both)
    yield _grown(place, "fields", "header fields", (10, 100, 1000, 10_000), fields, both)
    yield _grown(place, "cache", "keys in the cache", (10, 1000, 10_000, 100_000), keys, ours)
    yield _grown(place, "mailbox", "MiB in the mbox", (1, 4, 16, 64), mailbox, both)


def _grown(
    place: Place, name: str, what: str, steps: Sequence[int], prepare: Callable[[int], None], programs: Sequence[str]
) -> Growth:
    costs: dict[str, list[float]] = {program: [] for program in programs}
    for step in steps:
        prepare(step)
        spent: dict[str, list[float]] = {program: [] for program in programs}
        for number in range(ROUNDS + 1):
            for program in programs:
                took = place.once(program)
                if number:
                    spent[program].append(took.cpu)
        place.clean()
        for program in programs:
            costs[program].append(median(spent[program]))
    return Growth(name, what, steps, costs)


def report(place: Place) -> None:
    """Print what was measured for `draw`."""
    print(json.dumps([asdict(growth) for growth in measured(place)]))


def draw(folder: Path) -> None:
    """Measure, and make a picture of each growth in the folder."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rulesmith", "font.size": 9})
    from matplotlib import pyplot as plt

    run = subprocess.run([sys.executable, "-m", "bench", "points"], stdout=subprocess.PIPE, check=True)
    for found in json.loads(run.stdout):
        figure, axes = plt.subplots(figsize=(4.5, 2.8), layout="constrained")
        for program, costs in found["costs"].items():
            axes.plot(found["steps"], costs, marker="o", label=program)
        axes.set(xscale="log", xlabel=found["what"], ylabel="CPU, ms")
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        figure.savefig(folder / f"growth-{found['name']}.svg", metadata={"Date": None})
        plt.close(figure)
        print(f"{found['name']}: {found['steps']} {found['costs']}")
