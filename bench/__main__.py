"""Prints the table of bench/oneshot.py as Markdown, with the machine it was made on: make bench

As root everything runs as nobody, since the real fdm would want a user of its own.
"""

from __future__ import annotations

import os
import platform
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.oneshot import Cell, cells

ROOT = Path(__file__).parent.parent
OURS = "rulesmith"
DEBIANS = "/usr/bin/python3"
STARTED = "fdm 2.2 by a shell script"
# The one bar there is: with so many rules at most so many times the wall time of fdm 2.2.
BAR_RULES, BAR = 10, 3
HEAD = (
    "| rules | message | rulesmith wall / CPU | fdm 2.2 wall / CPU | by a shell script | fdm 1.9 wall / CPU |"
    " ÷ fdm 2.2 wall, CPU | ÷ fdm 1.9 wall, CPU | first run |"
)


def main() -> int:
    fdms = {version: _install(version) for version in ("2.2", "1.9")}
    work = Path(tempfile.mkdtemp(prefix="bench."))
    try:
        programs = {OURS: [str(_installed(work / "venv") / "fdm")]}
        for version, folder in fdms.items():
            shutil.copytree(folder, work / version, symlinks=True)
            programs[f"fdm {version}"] = _bare(work / version)
        programs[STARTED] = [str(work / "2.2" / "fdm")]
        _step_down(work)
        if not os.access(programs[OURS][0], os.X_OK):
            print(f"nobody may not run {programs[OURS][0]}: run this as a plain user", file=sys.stderr)
            return 1
        print(f"{_machine()}\n\n{HEAD}\n{'|---' * HEAD.count(' | ')}|---|")
        naive = False
        for cell in cells(programs, OURS, work):
            print(_row(cell), flush=True)
            naive |= cell.rules == BAR_RULES and cell.ratio(OURS, "fdm 2.2", "wall") > BAR
        print(
            "\nMilliseconds, medians; ratios are medians of pairs that ran next to each other. The first run compiles."
        )
        print("The last rule matches, and delivers into a maildir. `*`: no rules about bodies.")
        if naive:
            print(f"\nToo slow: with {BAR_RULES} rules more than {BAR} times the wall time of fdm 2.2.")
        return int(naive)
    finally:
        shutil.rmtree(work)


def _install(version: str) -> Path:
    folder = ROOT / ".cache" / "oracle" / version
    subprocess.run([ROOT / "tests/oracle/install", version, folder], check=True)
    return folder


def _installed(venv: Path) -> Path:
    """Rulesmith as people install it; its programs. The checkout's own environment would cost every start more.

    Debian's Python, where there is one: it is the one that the image has, and faster than others.
    """
    python = DEBIANS if os.access(DEBIANS, os.X_OK) else sys.executable
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    target = str(venv / "bin" / "python")
    subprocess.run([sys.executable, "-m", "pip", "-q", "--python", target, "install", ROOT], check=True)
    return venv / "bin"


def _bare(folder: Path) -> list[str]:
    """The starter's last line without the shell around it."""
    line = (folder / "fdm").read_text().splitlines()[-1]
    words = line.replace("$here", str(folder)).replace('"', "").split()
    return words[1 : words.index("$@")]


def _step_down(work: Path) -> None:
    """Be nobody from here on, if we are root."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (work, *work.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def _machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = "/".join(f"{each:.1f}" for each in os.getloadavg())
    python = subprocess.run([DEBIANS, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    python = python or f"Python {platform.python_version()}"
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, {platform.libc_ver()[1]}, {python}, load {load}"


def _row(cell: Cell) -> str:
    def both(name: str) -> str:
        costs = cell.costs[name]
        return f"{median(each.wall for each in costs):.1f} / {median(each.cpu for each in costs):.1f}"

    def ratios(name: str) -> str:
        return f"{cell.ratio(OURS, name, 'wall'):.2f}, {cell.ratio(OURS, name, 'cpu'):.2f}"

    mark = "" if cell.body else "*"
    columns = [f"{cell.rules}{mark}", cell.size, both(OURS), both("fdm 2.2"), both(STARTED), both("fdm 1.9")]
    columns += [ratios("fdm 2.2"), ratios("fdm 1.9"), f"{cell.first:.0f}"]
    return f"| {' | '.join(columns)} |"


if __name__ == "__main__":
    sys.exit(main())
