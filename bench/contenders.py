"""Who is measured, each as its users have it; what the machine does not have is unpacked into folders of our own.

As root everything runs as nobody, since the real fdm would want a user of its own, and in a mount namespace of its
own, where an unpacked Dovecot is found at its place.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.bars import FDM19, FDM22, LDA, PIP, PYTHON, STARTED22

ROOT = Path(__file__).parent.parent
OURS = "rulesmith"
DEBIANS = "/usr/bin/python3"
_LDA = Path("/usr/lib/dovecot/dovecot-lda")
_UNPACKED = ROOT / ".cache" / "lda"
_ENTERED = "RULESMITH_BENCH_ENTERED"
_DOVECOT = """\
mail_location = maildir:{work}/sieved
log_path = /dev/null
base_dir = {work}/run
default_internal_user = nobody
default_login_user = nobody
protocol lda {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:{work}/rules.sieve
}}
"""


@dataclass
class Contenders:
    """Their command lines; for those that take fdm's arguments without these."""

    work: Path
    python: str
    lines: dict[str, list[str]] = field(default_factory=dict)

    def compile_sieve(self, script: str) -> None:
        """Give dovecot-lda its rules, compiled."""
        file = self.work / "rules.sieve"
        file.write_text(script)
        line = ["sievec", "-c", str(self.work / "dovecot.conf"), str(file)]
        subprocess.run(line, check=True, capture_output=True, env={"HOME": str(self.work), "PATH": "/usr/bin:/bin"})


def enter() -> None:
    """Start over where Dovecot has its place, if it has to be unpacked and we are root."""
    if _LDA.exists() or os.geteuid() or os.environ.get(_ENTERED):
        return
    if not (_UNPACKED / "usr" / "lib" / "dovecot").is_dir():
        unpacked = subprocess.run(
            [ROOT / "tools/unpack-debs", "-d", _UNPACKED, "dovecot-core", "dovecot-sieve"], check=False
        )
        if unpacked.returncode:
            return
    mount = f'mount -t overlay overlay -o "lowerdir={_UNPACKED}/usr:/usr" /usr; exec "$@"'
    line = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-m", "bench", *sys.argv[1:]]
    os.execvpe(line[0], line, {**os.environ, _ENTERED: "1"})


def prepare(work: Path) -> Contenders:
    """Install everybody below `work`, and step down."""
    python = DEBIANS if os.access(DEBIANS, os.X_OK) else sys.executable
    found = Contenders(work, python)
    programs = _installed(work / "venv", python)
    direct = work / "fdm"
    _name_python(programs / "fdm", programs / "fdm-direct", python)
    direct.symlink_to(programs / "fdm-direct")
    found.lines = {OURS: [str(direct)], PIP: [str(programs / "fdm")], PYTHON: [python, "-I", "-S", "-c", "pass"]}
    for version, bare in (("2.2", FDM22), ("1.9", FDM19)):
        oracle = ROOT / ".cache" / "oracle" / version
        subprocess.run([ROOT / "tests/oracle/install", version, oracle], check=True)
        shutil.copytree(oracle, work / version, symlinks=True)
        found.lines[bare] = _bare(work / version)
    found.lines[STARTED22] = [str(work / "2.2" / "fdm")]
    if _LDA.exists():
        (work / "dovecot.conf").write_text(_DOVECOT.format(work=work))
        found.lines[LDA] = [str(_LDA), "-c", str(work / "dovecot.conf"), "-e"]
    _step_down(work)
    if not os.access(found.lines[OURS][0], os.X_OK):
        raise PermissionError(f"nobody may not run {found.lines[OURS][0]}: run this as a plain user")
    return found


def _installed(venv: Path, python: str) -> Path:
    """Rulesmith as people install it; its programs. The checkout's own environment would cost every start more."""
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    target = str(venv / "bin" / "python")
    subprocess.run([sys.executable, "-m", "pip", "-q", "--python", target, "install", ROOT], check=True)
    return venv / "bin"


def _name_python(door: Path, direct: Path, python: str) -> None:
    """The door as the image has it, with its Python in the first line."""
    direct.write_text(f"#!{python} -IS\n{door.read_text().partition(chr(10))[2]}")
    direct.chmod(0o755)


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
