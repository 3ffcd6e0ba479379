"""What is compared: the pipe with the real fdm, and rulesmith, each as fetchmail starts it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.chain.bed import DOOR as RULESMITH
from tests.faults.house import QUEUE
from tests.parts import PROJECT, Missing


@dataclass(frozen=True)
class Candidate:
    """`program` is called as fdm is; `settings` are rulesmith's own, beside an fdm.conf that is the same for all."""

    name: str
    program: str
    pipe: bool
    settings: str = ""

    @property
    def queue(self) -> bool:
        return bool(self.settings)

    def door(self, client: str, more: str) -> str:
        """The shell script that fetchmail runs, which begins with `more`; `client` is rspamc's command line."""
        # Who is there to kill it learns its process from its environment.
        call = f"sh -c 'DOOR=$$ exec {self.program} -a stdin -f ~/fdm.conf -m -v fetch'"
        lines = [
            "#!/bin/sh",
            more,
            # What fetchmail has handed over, for messages that it alters itself.
            '[ ! -d ~/handed ] || { f=$(mktemp ~/handed/XXXXXX); cat >"$f"; exec <"$f"; }',
            f"{client} --mime | {call}" if self.pipe else f"exec {call}",
        ]
        return "\n".join(lines) + "\n"

    def site(self, url: str) -> str:
        """Rulesmith's own settings: `url` is where rspamd answers."""
        return f'set scan "{url}"\nset scan-timeout 10 seconds\n{self.settings}'


def candidates() -> list[Candidate]:
    """All of them. Raises Missing where an fdm cannot be had."""
    return [
        Candidate("`rspamc --mime \\| fdm` 1.9", _real("1.9"), pipe=True),
        Candidate("`rspamc --mime \\| fdm` 2.2", _real("2.2"), pipe=True),
        Candidate("rulesmith", RULESMITH, pipe=False),
        Candidate("rulesmith, `set queue`", RULESMITH, pipe=False, settings=QUEUE),
    ]


def _real(version: str) -> str:
    folder = PROJECT / ".cache" / "oracle" / version
    done = subprocess.run(
        [Path(PROJECT, "tests", "oracle", "install"), version, folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"no fdm {version}: {done.stderr.strip()}")
    return str(folder / "fdm")
