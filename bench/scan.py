"""The spam scan before the rules: `rspamc --mime | fdm` against fdm with the scan inside: python -m bench.scan

Both take the same messages to the same rspamd and through the same rules into a maildir, in turns.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import corpus
from bench.spawn import Cost, cost
from tests.scan.rspamd import Rspamd  # the tests' own, with all that it needs to run anywhere

ROOT = Path(__file__).parent.parent

SIZES = {"2 KB": 2_000, "50 KB": 50_000, "1 MB": 1_000_000}
ROUNDS = 41
RULES = 10
# They would wait for a name server that is not there, most of the time that would be measured.
NAMES = ("rbl", "spf", "dkim", "dmarc", "arc", "asn", "mx_check", "hfilter")
DOOR = str(Path(sysconfig.get_path("scripts"), "fdm"))


def main() -> int:
    rspamd = Rspamd(ROOT / "tests" / "scan" / "rules.lua", NAMES)
    work = Path(tempfile.mkdtemp(prefix="bench."))
    try:
        print("| message | in a pipe wall / CPU | inside wall / CPU | without a scan | inside ÷ pipe, wall, CPU |")
        print("|---|---|---|---|---|")
        slower = False
        for size, octets in SIZES.items():
            slower |= _row(rspamd, work, size, octets)
        print("\nMilliseconds, medians; ratios are medians of pairs that ran next to each other. CPU without rspamd's.")
        return int(slower)
    finally:
        shutil.rmtree(work)
        rspamd.close()


def _row(rspamd: Rspamd, work: Path, size: str, octets: int) -> bool:
    """Measure one size and print its row; whether the scan inside was the slower one."""
    message = work / "message"
    message.write_bytes(corpus.message(octets))
    env = {**rspamd.env, "HOME": str(work), "PATH": "/usr/bin:/bin", "TZ": "UTC", "RULESMITH_CONF": ""}
    me = pwd.getpwuid(os.geteuid()).pw_name  # root has to say who delivers
    plain = f'set default-user "{me}"\n' + corpus.rules(RULES, work / "mail", body=True)
    door = [DOOR, "-a", "stdin", "-m", "-f"]
    ways = {
        "pipe": ["/bin/sh", "-c", f"{rspamd.rspamc} --mime | {' '.join(door)} {_conf(work, 'plain', plain)} fetch"],
        "inside": [*door, _conf(work, "scan", f'set scan "http://127.0.0.1:{rspamd.port}"\n{plain}'), "fetch"],
        "none": [*door, _conf(work, "plain", plain), "fetch"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        for name, argv in ways.items():
            took = cost(argv, str(message), env)
            if number:  # the first run compiles
                costs[name].append(took)
    _prove(work / "mail")
    shutil.rmtree(work / "mail")

    def both(name: str) -> str:
        return f"{median(each.wall for each in costs[name]):.1f} / {median(each.cpu for each in costs[name]):.1f}"

    def ratio(part: Callable[[Cost], float]) -> float:
        pairs = zip(costs["inside"], costs["pipe"], strict=True)
        return median(part(one) / part(other) for one, other in pairs)

    wall, cpu = ratio(lambda each: each.wall), ratio(lambda each: each.cpu)
    print(f"| {size} | {both('pipe')} | {both('inside')} | {both('none')} | {wall:.2f}, {cpu:.2f} |", flush=True)
    return wall > 1


def _conf(work: Path, name: str, text: str) -> str:
    conf = work / f"{name}.conf"
    conf.unlink(missing_ok=True)
    conf.write_text(text)
    conf.chmod(0o600)
    # A file that has just changed may change again unseen, so its compiled program would not be kept yet.
    time.sleep(0.1)
    return str(conf)


def _prove(maildir: Path) -> None:
    """Two of three ways scan: what was measured is what was meant."""
    scanned = sum(b"\nX-Spam-Scanner: " in path.read_bytes() for path in (maildir / "new").iterdir())
    assert scanned == 2 * ROUNDS, scanned


if __name__ == "__main__":
    sys.exit(main())
