"""python -m tests.soak [--messages N] [--seed S] [--histories N]"""

from __future__ import annotations

import argparse
import random
import sys

from tests.parts import Missing
from tests.soak.report import table
from tests.soak.soak import Soak, Stuck
from tests.soak.stage import Stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="of the letters and of the faults (default: another one each time)")
    parser.add_argument("--histories", type=int, default=5, metavar="N", help="of so many failed messages at most")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"soak: {options.messages} messages, seed {seed}", flush=True)
    try:
        stage = Stage()
    except Missing as missing:
        print(f"soak: it cannot run here: {missing}", file=sys.stderr)
        return 1
    try:
        return _run(Soak(stage, options.messages, seed, lambda line: print(f"soak: {line}", flush=True)), options)
    finally:
        stage.close()


def _run(soak: Soak, options: argparse.Namespace) -> int:
    stuck = ""
    try:
        soak.run()
    except Stuck as reason:
        stuck = str(reason)
    account = soak.account
    if not stuck:
        print("\n".join(("", *table(soak), "")))
    for kind, texts in account.wrong.items():
        for text in texts:
            print(f"soak: {kind}: {text}")
    for name in [*account.blame][: options.histories]:
        print("\n".join((f"\nHistory of {name}: {account.blame[name]}", *account.history(name))))
    if stuck:
        print(f"soak: {stuck}")
        for event in soak.stage.chronicle.events[-200:]:
            print(f"{event.when - soak.stage.chronicle.started:9.2f}  {event.text} {event.letter}")
        print("\n".join(soak.stage.processes.states()))
    failed = bool(stuck or account.wrong)
    print(
        f"soak: {'FAILED' if failed else 'passed'} (python -m tests.soak --messages {soak.messages} --seed {soak.seed})"
    )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
