"""What a record of the journal and an entry of the queue cost: python -m bench.durable

The same message, each kind of run in turns: plans of one and of three deliveries into maildirs, with a journal, without
one that can be written, and with a queue.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import corpus
from bench.spawn import Cost, cost
from rulesmith.delivery import journal
from rulesmith.effects import DELIVER

ROUNDS = 41
RECORDS = 200
PLANS = {"1 delivery": ("a",), "3 deliveries": ("a", "b", "c")}
KINDS = {"journal": "", "no journal": 'set journal "/dev/null/none"\n', "queue": 'set queue "{work}/queue"\n'}


def main() -> int:
    work = Path(tempfile.mkdtemp(prefix="bench.", dir=os.environ.get("BENCH_FOLDER")))
    try:
        message = work / "message"
        message.write_bytes(corpus.message(2_000))
        runs = {(plan, kind): _configure(work, plan, kind) for plan in PLANS for kind in KINDS}
        costs: dict[tuple[str, str], list[Cost]] = {run: [] for run in runs}
        env = {"HOME": str(work), "XDG_STATE_HOME": str(work / "state"), "PATH": "/usr/bin:/bin", "RULESMITH_CONF": ""}
        program = [str(Path(sys.executable).parent / "fdm")]
        for number in range(ROUNDS + 1):
            for run, conf in runs.items():
                spent = cost([*program, "-q", "-m", "-f", str(conf), "-a", "stdin", "fetch"], str(message), env)
                if number:  # the first one compiles
                    costs[run].append(spent)
        print("| plan | with | wall ms | CPU ms |\n|---|---|---|---|")
        for (plan, kind), several in costs.items():
            walls, cpus = median(each.wall for each in several), median(each.cpu for each in several)
            print(f"| {plan} | {kind} | {walls:.1f} | {cpus:.1f} |")
        print(f"\nOne record: {_record(work):.2f} ms (a file in {work}, median of {RECORDS}).")
    finally:
        shutil.rmtree(work)
    return 0


def _configure(work: Path, plan: str, kind: str) -> Path:
    user = os.environ.get("USER") or "root"
    items = " ".join(f'maildir "{work}/{name}"' for name in PLANS[plan])
    conf = work / f"{len(PLANS[plan])}{kind}.conf".replace(" ", "")
    first = f'set default-user "{user}"\n' + KINDS[kind].format(work=work)
    conf.write_text(f'{first}account "stdin" stdin\nmatch all action {{ {items} }}\n')
    conf.chmod(0o600)
    os.utime(conf, (time.time() - 60, time.time() - 60))
    return conf


def _record(work: Path) -> float:
    """Milliseconds for one more delivery in a record."""
    progress = journal.create(bytes(work / "records"), b"bench", 0)
    user = (b"me", 0, 0, b"/")
    spent = []
    for number in range(RECORDS):
        begin = time.perf_counter()
        progress.store((DELIVER, "maildir", (b"/m/%d" % number,), user, b""), {b"mail_file": b"/m/new/1.2_3.host"})
        spent.append(time.perf_counter() - begin)
    progress.close()
    return median(spent) * 1000


if __name__ == "__main__":
    sys.exit(main())
