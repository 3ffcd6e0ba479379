"""Prints how long one message takes, beside other programs, as Markdown with the bars: make bench [ROUNDS=41]

`python -m bench growth FOLDER` draws how the cost grows; it needs the extra `bench`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import growth, programs
from bench.bars import COMPILE, MEMORY, ROWS, Limit, Row
from bench.contenders import OURS, enter, prepare
from bench.oneshot import Costs, Place, first_message, measure, memory

ROUNDS = 41
HEAD = ("case", "beside", "rulesmith CPU (wall)", "other CPU (wall)", "ratio CPU", "bar, aim", "", "ratio wall")


def main() -> int:
    if sys.argv[1:2] == ["growth"]:
        growth.draw(Path(sys.argv[2]))
        return 0
    enter()
    work = Path(tempfile.mkdtemp(prefix="bench."))
    work.chmod(0o755)
    try:
        machine = programs.machine()
        place = Place(prepare(work))
        if sys.argv[1:2] == ["points"]:
            growth.report(place)
            return 0
        print(f"{machine}\n")
        _print(HEAD)
        _print(["---"] * len(HEAD))
        rounds = int(os.environ.get("ROUNDS") or ROUNDS)
        missed = 0
        for row in ROWS:
            for line, passed in _lines(row, measure(place, row, rounds)):
                _print(line)
                missed += not passed
        print("\n| what | found | bar, aim | |\n|---|---|---|---|")
        for what, found, limit in _others(place):
            _print([what, f"{found:.1f}", f"{limit.must:g}, {limit.aim:g}", limit.verdict(found)])
            missed += found > limit.must
        print(f"\nMilliseconds, medians of {rounds} rounds; ratios are medians of pairs that ran next to each other.")
        print(f"{missed} bars missed." if missed else "No bar missed.")
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _print(cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |".replace("|  |", "| |"), flush=True)  # type: ignore[call-overload]


def _lines(row: Row, costs: Costs) -> Iterator[tuple[list[str], bool]]:
    def both(name: str) -> str:
        return f"{costs.middle(name, 'cpu'):.1f} ({costs.middle(name, 'wall'):.1f})"

    for name, limit in row.limits.items():
        if name not in costs.of:
            yield [row.title, name, both(OURS), "not to be had here", "", "", "", ""], True
            continue
        ratio = costs.ratio(name, "cpu")
        bar = f"{limit.must:g}, {limit.aim:g}" if limit else ""
        verdict = limit.verdict(ratio) if limit else ""
        line = [
            row.title,
            name,
            both(OURS),
            both(name),
            f"{ratio:.2f}",
            bar,
            verdict,
            f"{costs.ratio(name, 'wall'):.2f}",
        ]
        yield line, verdict != "MISS"


def _others(place: Place) -> Iterator[tuple[str, float, Limit]]:
    for rules, octets, limit in MEMORY:
        what = f"peak memory, MiB: {rules:,} rules" + (", 5 MB" if octets > 1_000_000 else "")
        yield what, memory(place, rules, octets), limit
    rules, limit = COMPILE
    yield f"first message after an edit, CPU ms: {rules:,} rules", first_message(place, rules), limit


if __name__ == "__main__":
    sys.exit(main())
