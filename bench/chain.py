"""The whole way from a provider to two mailboxes, old and new: python -m bench.chain [MESSAGES] [ROUNDS]

In the tests' bed: real fetchmail takes messages of 2 KB from a real Dovecot, real rspamd (with redis) judges each,
the same rules store it in two mailboxes of another real Dovecot: `deliver -d USER [-m FOLDER]`, which is run, or has
its work done by Dovecot's LMTP server ("one-shot, LMTP" with `set dovecot`, and the resident ways). The ways take
turns, each with as many messages, since Dovecot takes longer for a larger mailbox. CPU is that of everything in the
bed, so rspamd, Dovecot and the provider too; a second table says whose it is. Time goes from fetchmail's start until
all is in both mailboxes, where it is then looked at: all of it there, once, unchanged and scanned.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import programs
from bench.backlog import Backlog, NotThere
from bench.bars import CHAIN_CPU, CHAIN_RATE, Limit
from tests.certificates import Authority  # the tests' bed is the one with a Dovecot in it
from tests.chain import fetching
from tests.chain.bed import Bed
from tests.chain.dovecot import Dovecot
from tests.chain.test_seed import SEED
from tests.faults.spam import Spam

OLD, ONE_SHOT, BY_LMTP = "`rspamc --mime \\| fdm` 2.2", "one-shot", "one-shot, LMTP"
RESIDENT, QUEUE = "resident", "resident, queue"
WARM = 8  # messages before the measured ones, so that programs are compiled and connections made
TICKS = os.sysconf("SC_CLK_TCK")
JUNK = 'match "^X-Spam: yes" in headers action pipe "/usr/libexec/dovecot/deliver -d user@example.com -m Junk"\n'
HOME = "/config/users/user@example.com"
SOCKET = "/run/dovecot/lmtp"
# Whose CPU it is. What fetchmail starts has ended when it is looked at, so that nobody can tell it from fetchmail.
SPAM, PROVIDER, STORE = "rspamd, redis", "provider", "Dovecot"
FETCHING, SERVER, WORKERS = "fetchmail and what it starts", "`rulesmith serve`", "its workers"
PARTS = (SPAM, PROVIDER, STORE, FETCHING, SERVER, WORKERS)
HEAD = (
    "| way | messages a second | rate ÷ old | bar, aim | | CPU for one | ÷ old | bar, aim | |"
    " CPU without rspamd and provider | ÷ old |"
)


@dataclass(frozen=True)
class Turn:
    """Messages a second; milliseconds of CPU for one, by whose it is."""

    rate: float
    parts: Mapping[str, float]

    @property
    def cpu(self) -> float:
        return sum(self.parts.values())

    @property
    def own(self) -> float:
        """Without what is the same for everybody."""
        return self.cpu - self.parts[SPAM] - self.parts[PROVIDER]


class Chain:
    """The programs, and a turn of each way."""

    def __init__(self, bed: Bed, folder: Path) -> None:
        self._bed = bed
        authority = Authority(folder)
        fetching.trust(bed, authority.path)
        pair = authority.issue("bench")
        self._store = Dovecot(bed, "dovecot", pair, mail="vmail")
        self._provider = Dovecot(bed, "provider", pair, mail="provider")
        self._spam = Spam(bed)
        python = programs.best_python()
        door = programs.direct(programs.rulesmith(bed.folder / "config" / "venv", python, image=True) / "fdm", python)
        self._inside = f"/{door.parent.relative_to(bed.folder)}"
        self._configure()
        # Without the shell script around it: people have it installed.
        fdm = " ".join(programs.without_starter(programs.fdm("2.2")))
        words = "-a stdin -f ~/fdm.conf -m -q fetch"
        self._doors = {
            OLD: f"{self._spam.client} --mime | {fdm} {words}",
            ONE_SHOT: f"{self._inside}/{door.name} {words}",
            BY_LMTP: f"{self._inside}/{door.name} {words}",
        }
        self._services = self._find_services()

    def _configure(self) -> None:
        first, *rest = SEED.splitlines(keepends=True)
        assert first.startswith("account ")
        rules = [first, *(line for line in rest if not line.startswith("match ")), JUNK]
        rules += [line for line in rest if line.startswith("match ")]
        scan = f'set scan "http://127.0.0.1:{self._spam.port}"\n'
        for path, text in (
            (self._bed.home / "fdm.conf", "".join(rules)),
            (self._bed.folder / "config" / "plain.conf", scan),
            (self._bed.folder / "config" / "queue.conf", f'{scan}set queue "{HOME}/queue"\n'),
            (self._bed.folder / "config" / "lmtp.conf", f'{scan}set dovecot "{SOCKET}"\nset dovecot-folders\n'),
        ):
            path.write_text(text)
            path.chmod(0o600)
            os.utime(path, (time.time() - 60, time.time() - 60))
        self._bed.own(self._bed.folder / "config")

    def turn(self, way: str, count: int) -> Turn:
        """So many messages by one way."""
        with self._serving(way):
            self._poll(way, WARM)
            return self._poll(way, count)

    @contextlib.contextmanager
    def _serving(self, way: str) -> Iterator[None]:
        if way in self._doors:
            yield
            return
        serve = f"{self._inside}/python -m rulesmith serve --lmtp /run/serve --users /config/users"
        line = f"RULESMITH_CONF={_site(way)} exec {serve} --dovecot {SOCKET} -- -q >&2"
        name = self._bed.start(["sh", "-c", line], until="serving")
        yield
        self._bed.signal(name, signal.SIGTERM)
        assert self._bed.wait(name).status == 0

    def _poll(self, way: str, count: int) -> Turn:
        backlog = Backlog(self._bed, self._provider, self._store, count)
        backlog.lay()
        to = "smtphost '/run/serve' lmtp smtpname 'user@example.com'"
        if way in self._doors:
            to = f'mda "{self._doors[way]}"'
        argv = fetching.command(self._bed, self._provider, "no keep", to, "set no bouncemail\n")
        before, begin = self._cpu(), time.monotonic()
        name = self._bed.begin(*argv, env={"RULESMITH_CONF": _site(way)})
        try:
            seconds = backlog.wait(lambda: self._bed.has_ended(name)) - begin
        except NotThere as error:
            self._bed.signal(name, signal.SIGTERM)
            raise NotThere(f"{error}: {self._bed.wait(name)}") from None
        done = self._bed.wait(name)
        assert done.status == 0, done
        self._wait_for_queue()
        after = self._cpu()
        backlog.check(by_lmtp=way not in (OLD, ONE_SHOT))
        backlog.clear()
        return Turn(count / seconds, {part: (after[part] - before[part]) * 1000 / count for part in PARTS})

    def _wait_for_queue(self) -> None:
        """Until the last message is let go, which is in its mailboxes already."""
        end = time.monotonic() + 10
        queue = self._bed.home / "queue"
        while any(queue.glob("[0-9]*")):
            assert time.monotonic() < end, list(queue.iterdir())
            time.sleep(0.01)

    def _cpu(self) -> dict[str, float]:
        """Seconds that the bed's processes have taken, also those that have ended."""
        table = dict(_table())
        every = _below({self._bed.process_id}, table)
        found = dict.fromkeys(PARTS, 0.0)
        for part, tops in self._services.items():
            members = _below(tops, table) & every
            found[part] = _seconds(members, table)
            every -= members
        serving = {pid for pid in every if "-m rulesmith.serve " in _line(pid)}
        servers = {pid for pid in serving if table[pid][0] not in serving}
        workers = _below(servers, table) - servers
        found[SERVER], found[WORKERS] = _seconds(servers, table), _seconds(workers, table)
        found[FETCHING] = _seconds(every - servers - workers, table)
        return found

    def _find_services(self) -> dict[str, set[int]]:
        """The processes that last, by whose they are."""
        found: dict[str, set[int]] = {SPAM: set(), PROVIDER: set(), STORE: set()}
        for pid in _below({self._bed.process_id}, dict(_table())):
            line = _line(pid)
            if line.startswith(("rspamd", "redis-server")):
                found[SPAM].add(pid)
            for part, name in ((PROVIDER, "provider"), (STORE, "dovecot")):
                if f"-c /config/{name}.conf" in line:
                    found[part].add(pid)
        return found


def _site(way: str) -> str:
    return {QUEUE: "/config/queue.conf", BY_LMTP: "/config/lmtp.conf"}.get(way, "/config/plain.conf")


def _line(pid: int) -> str:
    """The command line of a process, nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _table() -> Iterator[tuple[int, tuple[int, int]]]:
    """Every process of the machine: its parent, and its ticks with those of the children it has buried."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # It may end just now.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(") ")[2].split()
                yield int(entry), (int(fields[1]), sum(map(int, fields[11:15])))


def _below(tops: set[int], table: dict[int, tuple[int, int]]) -> set[int]:
    found, fresh = set[int](), set(tops)
    while fresh:
        found |= fresh
        fresh = {pid for pid, (parent, _) in table.items() if parent in fresh} - found
    return found


def _seconds(processes: set[int], table: dict[int, tuple[int, int]]) -> float:
    return sum(table[pid][1] for pid in processes if pid in table) / TICKS


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    bed = Bed(spam=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            chain = Chain(bed, Path(folder))
            print(f"{programs.machine()}\n", flush=True)
            turns: dict[str, list[Turn]] = {}
            for number in range(rounds):
                for way in (OLD, ONE_SHOT, BY_LMTP, RESIDENT, QUEUE):
                    turn = chain.turn(way, count)
                    turns.setdefault(way, []).append(turn)
                    load = os.getloadavg()[0]
                    told = f"{turn.rate:.1f}/s, {turn.cpu:.1f} ms, {turn.own:.1f} ms without the same; load {load:.1f}"
                    print(f"round {number + 1}, {way}: {told}", file=sys.stderr, flush=True)
    finally:
        bed.close()
    missed = _print(turns)
    _print_parts(turns)
    print(f"\nMedians of {rounds} rounds of {count} messages;")
    print("ratios are medians of those in each round; milliseconds.")
    print(f"{missed} bars missed." if missed else "No bar missed.")
    return 0


def _print(turns: dict[str, list[Turn]]) -> int:
    """The table; how many bars are missed."""
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1 - HEAD.count(chr(92)))}")
    missed = 0
    for way, found in turns.items():
        rate, rate_bar = _beside(turns, way, "rate", CHAIN_RATE.get(way))
        cpu, cpu_bar = _beside(turns, way, "cpu", CHAIN_CPU.get(way))
        own, _ = _beside(turns, way, "own", None)
        missed += (rate_bar + cpu_bar).count("MISS")
        middle = {name: median(getattr(each, name) for each in found) for name in ("rate", "cpu", "own")}
        print(
            f"| {way} | {middle['rate']:.1f} | {rate} | {rate_bar} | {middle['cpu']:.1f} | {cpu} | {cpu_bar}"
            f" | {middle['own']:.1f} | {own} |".replace("|  |", "| |")
        )
    return missed


def _print_parts(turns: dict[str, list[Turn]]) -> None:
    print("\n| CPU for one", *PARTS, sep=" | ", end=f" |\n|{'---|' * (len(PARTS) + 1)}\n")
    for way, found in turns.items():
        middle = [median(each.parts[part] for each in found) for part in PARTS]
        print(f"| {way}", *[f"{each:.1f}" if each >= 0.05 else "" for each in middle], sep=" | ", end=" |\n")


def _beside(turns: dict[str, list[Turn]], way: str, what: str, limit: Limit | None) -> tuple[str, str]:
    """The ratio to the old way, and two cells: the bar, and whether it is reached."""
    pairs = zip(turns[way], turns[OLD], strict=True)
    ratio = median(getattr(one, what) / getattr(other, what) for one, other in pairs)
    if limit is None:
        return f"{ratio:.2f}", "| "
    return f"{ratio:.2f}", f"{limit.must:g}, {limit.aim:g} | {limit.verdict(ratio)}"


if __name__ == "__main__":
    sys.exit(main())
