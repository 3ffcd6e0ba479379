"""Lists what differs from the recordings and is not in deviations.jsonl: python -m tests.cases [PATTERN] [--verbose]

Each difference is printed as the line that would document it, with an empty reason; PATTERN is a regexp on case ids.
Stale deviations are printed as sentences. Nothing is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from tests.cases import deviations, replay
from tests.cases.test_cases import CASES, LISTED, run
from tests.door import warm


def main(argv: list[str]) -> int:
    verbose = "--verbose" in argv
    patterns = [each for each in argv if not each.startswith("-")]
    names = [name for name in CASES if all(re.search(pattern, name) for pattern in patterns)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=warm) as pool:
        plain = pool.map(run, names, ["plain"] * len(names), chunksize=8)
        flagged = pool.map(run, names, ["fdm-exit-status"] * len(names), chunksize=8)
        areas: Counter[str] = Counter()
        for name, found in zip(names, zip(plain, flagged, strict=True), strict=True):
            by_mode = dict(zip(deviations.FLAGS, found, strict=True))
            areas[CASES[name]["area"]] += _report(name, by_mode, verbose)
    print(f"{len(names)} cases;", dict(+areas) or "nothing that is not listed", file=sys.stderr)
    return 1 if +areas else 0


def _report(name: str, by_mode: dict[str, list[replay.Difference]], verbose: bool) -> int:
    lines: dict[str, list[str]] = {}
    for mode, found in by_mode.items():
        listed = [each for each in LISTED if each.case == name and each.concerns(mode)]
        for difference in found:
            if not any(each.describes(difference) for each in listed):
                lines.setdefault(_line(name, difference, verbose), []).append(mode)
        for each in listed:
            if not any(each.describes(difference) for difference in found):
                print(f"stale: {name} {each.field} ({mode}): {each.value!r}")
    for line, modes in lines.items():
        mode = "both" if len(modes) > 1 else modes[0]
        print(line.replace('"mode": ""', f'"mode": "{mode}"', 1))
    return len(lines)


def _line(name: str, found: replay.Difference, verbose: bool) -> str:
    value: Any = None if found.field.startswith("log") else found.got
    entry = {"case": name, "field": found.field, "mode": "", "value": value, "reason": ""}
    line = json.dumps(entry)
    if verbose:
        line += f"\n    recorded: {found.want!r}\n    now:      {found.got!r}"
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
