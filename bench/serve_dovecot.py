"""The way into Dovecot, resident and by a program for each step: python -m bench.serve_dovecot [MESSAGES]

The seed's rules, two deliveries for each message of 2 KB, into the real Dovecot in a namespace of its own: fdm 2.2 by
`xargs -P2`, with `deliver` for each copy; the server with `deliver`; the server with Dovecot's LMTP. CPU is that of
everything in the namespace, Dovecot too; the server's clients are outside of it.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from pathlib import Path

from bench import corpus, programs
from bench.serve import _cpu, _load
from tests.certificates import Authority  # the tests' bed is the one with a Dovecot in it
from tests.chain.bed import DOOR, Bed
from tests.chain.dovecot import Dovecot
from tests.chain.test_seed import SEED, configure

NAME = "user@example.com"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    fdm = programs.fdm("2.2") / "fdm"
    bed = Bed()
    try:
        with tempfile.TemporaryDirectory() as folder:
            dovecot = Dovecot(bed, "dovecot", Authority(Path(folder)).issue("bench"), mail="vmail")
            configure(bed, SEED)
            message = corpus.message(2_000)
            (bed.folder / "config" / "message").write_bytes(message)
            bed.own(bed.folder / "config")
            print(f"{programs.machine()}\n\n| way | messages a second | CPU for one | ratio |\n|---|---|---|---|")
            first = _by_processes(bed, fdm, count)
            _print("fdm 2.2 by `xargs -P2`, `deliver`", first, first)
            for way, options in (("`deliver`", ()), ("LMTP", ("--dovecot", "/run/dovecot/lmtp"))):
                dovecot.clear()
                found = _by_server(bed, message, options, count)
                _print(f"`rulesmith serve`, {way}", found, first)
                stored = [path.read_bytes() for box in ("new", "cur") for path in dovecot.mail.rglob(f"{box}/*")]
                assert len(stored) == 2 * (count + 20), len(stored)
        return 0
    finally:
        bed.close()


def _print(way: str, found: tuple[float, float], first: tuple[float, float]) -> None:
    print(f"| {way} | {found[0]:.0f} | {found[1]:.1f} ms | {found[0] / first[0]:.1f} |", flush=True)


def _by_processes(bed: Bed, fdm: Path, count: int) -> tuple[float, float]:
    line = f"seq {count} | xargs -P2 -I@ sh -c '{fdm} -a stdin -f ~/fdm.conf -m -q fetch </config/message'"
    return _measured(bed, count, lambda: _ended(bed, line))


def _ended(bed: Bed, line: str) -> None:
    done = bed.run("sh", "-c", line)
    assert done.status == 0, done


def _by_server(bed: Bed, message: bytes, options: tuple[str, ...], count: int) -> tuple[float, float]:
    argv = [str(Path(DOOR).with_name("rulesmith")), "serve", "--lmtp", "/run/serve", "--users", "/config/users"]
    argv += [*options, "--", "-q"]
    name = bed.start(["sh", "-c", 'exec "$@" >&2', "sh", *argv], until="serving")
    wire = message.replace(b"\n", b"\r\n") + b".\r\n"
    try:
        _load(bed.folder / "run" / "serve", NAME, wire, 20)
        return _measured(bed, count, lambda: _load(bed.folder / "run" / "serve", NAME, wire, count))
    finally:
        bed.signal(name, signal.SIGTERM)
        bed.wait(name)


def _measured(bed: Bed, count: int, act: object) -> tuple[float, float]:
    """Messages a second, and milliseconds of CPU for one."""
    assert callable(act)
    before, begin = _cpu(bed.process_id), time.perf_counter()
    act()
    seconds = time.perf_counter() - begin
    return count / seconds, (_cpu(bed.process_id) - before) * 1000 / count


if __name__ == "__main__":
    sys.exit(main())
