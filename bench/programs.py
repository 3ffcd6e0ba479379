"""What a benchmark runs: programs installed as people install them, for nobody, and the machine they run on."""

from __future__ import annotations

import os
import platform
import pwd
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEBIANS = "/usr/bin/python3"


def best_python() -> str:
    """Debian's own Python where there is one, else the one that runs this."""
    return DEBIANS if os.access(DEBIANS, os.X_OK) else sys.executable


def rulesmith(venv: Path, python: str, image: bool = False) -> Path:
    """Rulesmith as people install it, or as the image has it; its programs.

    The checkout's own environment would cost every start more.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    target = str(venv / "bin" / "python")
    subprocess.run([sys.executable, "-m", "pip", "-q", "--python", target, "install", ROOT], check=True)
    unchecked: list[str] = []
    if image:
        line = [target, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", f"{venv}/lib"]
        subprocess.run(line, check=True)
        unchecked = ["--unchecked"]
    # Who delivers may not be who has installed it, and so cannot do this himself.
    subprocess.run([target, "-m", "rulesmith.bundling", *unchecked], check=True, cwd=venv)
    return venv / "bin"


def direct(door: Path, python: str) -> Path:
    """The door as the image has it, with its Python in the first line; a file beside the one that pip has made."""
    made = door.with_name("fdm-direct")
    made.write_text(f"#!{python} -IS\n{door.read_text().partition(chr(10))[2]}")
    made.chmod(0o755)
    return made


def fdm(version: str) -> Path:
    """The folder of the real fdm."""
    folder = ROOT / ".cache" / "oracle" / version
    subprocess.run([ROOT / "tests/oracle/install", version, folder], check=True)
    return folder


def without_starter(folder: Path) -> list[str]:
    """The last line of fdm's starter, without the shell around it."""
    line = (folder / "fdm").read_text().splitlines()[-1]
    words = line.replace("$here", str(folder)).replace('"', "").split()
    return words[1 : words.index("$@")]


def step_down(work: Path) -> None:
    """Be nobody from here on, if we are root: fdm would want a user."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (work, *work.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def machine() -> str:
    """Where a table was measured."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = "/".join(f"{each:.1f}" for each in os.getloadavg())
    python = subprocess.run([best_python(), "--version"], capture_output=True, text=True, check=False).stdout.strip()
    python = python or f"Python {platform.python_version()}"
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, {platform.libc_ver()[1]}, {python}, load {load}"
