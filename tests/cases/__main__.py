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
from dataclasses import asdict
from difflib import get_close_matches
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
    """Print what is not listed and what is stale; how many lines are missing from the list."""
    missing: dict[str, tuple[list[str], replay.Difference]] = {}
    for mode, found in by_mode.items():
        listed = [each for each in LISTED if each.case == name and each.concerns(mode)]
        for difference in found:
            if not any(each.describes(difference) for each in listed):
                key = json.dumps([difference.field, _value(difference)])
                missing.setdefault(key, ([], difference))[0].append(mode)
        for each in listed:
            if not any(each.describes(difference) for difference in found):
                print(f"stale: {name} {each.field} ({mode}): {each.value!r}")
    for modes, difference in missing.values():
        mode = "both" if len(modes) > 1 else modes[0]
        entry = deviations.Deviation(name, difference.field, mode, _value(difference), "")
        print(json.dumps(asdict(entry)))
        if verbose:
            print(f"    recorded: {difference.want!r}\n    now:      {difference.got!r}")
    return len(missing)


def _value(found: replay.Difference) -> Any:
    """What to list: the most similar line of a log, and the name of the user as a placeholder where it was one."""
    got = found.got
    if found.field.startswith("log-:"):
        return None
    if found.field.startswith("log+:"):
        got = next(iter(get_close_matches(found.want, got.split("\n"), n=1, cutoff=0.7)), None)
    if "{USER}" in str(found.want):
        got = replay.fill(got, {replay.people()["{USER}"]: "{USER}"})
    return got


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
