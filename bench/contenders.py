"""Who is measured, each as its users have it; what the machine does not have is unpacked into folders of our own.

As root everything runs as nobody, since the real fdm would want a user of its own, and in a mount namespace of its
own, where an unpacked Dovecot is found at its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench import programs
from bench.bars import FDM19, FDM22, LDA, PIP, PYTHON, STARTED22

OURS = "rulesmith"
_LDA = Path("/usr/lib/dovecot/dovecot-lda")
_UNPACKED = programs.ROOT / ".cache" / "lda"
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
            [programs.ROOT / "tools/unpack-debs", "-d", _UNPACKED, "dovecot-core", "dovecot-sieve"], check=False
        )
        if unpacked.returncode:
            return
    mount = f'mount -t overlay overlay -o "lowerdir={_UNPACKED}/usr:/usr" /usr; exec "$@"'
    line = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-m", "bench", *sys.argv[1:]]
    os.execvpe(line[0], line, {**os.environ, _ENTERED: "1"})


def prepare(work: Path) -> Contenders:
    """Install everybody below `work`, and step down."""
    python = programs.best_python()
    found = Contenders(work, python)
    installed = programs.rulesmith(work / "venv", python)
    direct = work / "fdm"
    direct.symlink_to(programs.direct(programs.rulesmith(work / "image", python, image=True) / "fdm", python))
    found.lines = {OURS: [str(direct)], PIP: [str(installed / "fdm")], PYTHON: [python, "-I", "-S", "-c", "pass"]}
    for version, bare in (("2.2", FDM22), ("1.9", FDM19)):
        shutil.copytree(programs.fdm(version), work / version, symlinks=True)
        found.lines[bare] = programs.without_starter(work / version)
    found.lines[STARTED22] = [str(work / "2.2" / "fdm")]
    if _LDA.exists():
        (work / "dovecot.conf").write_text(_DOVECOT.format(work=work))
        found.lines[LDA] = [str(_LDA), "-c", str(work / "dovecot.conf"), "-e"]
    programs.step_down(work)
    if not os.access(found.lines[OURS][0], os.X_OK):
        raise PermissionError(f"nobody may not run {found.lines[OURS][0]}: run this as a plain user")
    return found
