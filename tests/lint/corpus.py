"""Configurations as people write them, and fdm's own examples: what the checks say of them is judged in
docs/precision.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rulesmith import lint
from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.diagnostics.model import Diagnostic

FOLDER = Path(__file__).parent / "corpus"
TABLE = Path(__file__).parents[2] / "docs" / "precision.md"
EXAMPLES = ("f-terbeck", "g-lando", "n-marriott", "t-ulmer", "w-maier")
USERS = [(b"root", 0, 0, b"/root"), (b"daemon", 1, 1, b"/usr/sbin")]
HOME = (b"user", 1000, 1000, b"/home/user")
_FILES = {
    "/home/user/.fdm/macros.conf": b"",
    # What fdm's examples need and do not bring along.
    "/home/user/.netrc": b"default login nicholas.marriott@gmail.com password secret\n",
    "/home/user/etc/fdm/accounts.conf": b'account "blog" stdin\naccount "comments" disabled stdin\n',
}
_ROW = re.compile(r"^\| `([a-z0-9/.-]+)` \| (\d+) \| `([a-z-]+)` \| (right|wrong) \| (.*) \|$", re.MULTILINE)
Key = tuple[str, int, str]


@dataclass(frozen=True)
class Judgement:
    right: bool
    reason: str


def configurations() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.conf"))}


def examples(fdm: str) -> dict[str, str]:
    """fdm's own, from the package that the real fdm is of."""
    folder = Path(fdm).parent / "root" / "usr" / "share" / "doc" / "fdm" / "examples"
    return {f"fdm/{name}": (folder / f"{name}.conf").read_text(encoding="utf-8") for name in EXAMPLES}


def findings(name: str, text: str) -> tuple[list[Diagnostic], int]:
    """What is said of a configuration, and how many rules it has."""
    holdings = Holdings(files={**_FILES, f"{name}.conf": text.encode()}, users=USERS, groups={b"users": 100})
    machine = Imagined(holdings, path=f"{name}.conf", me=HOME, hostname=b"mail.example.org", now=1_600_000_000)
    compiled = compile_text(f"{name}.conf", text, machine)
    assert compiled.program is not None, (name, compiled.refusal)
    return lint.findings(compiled), compiled.lowered.rule_count


def judged() -> dict[Key, list[Judgement]]:
    table: dict[Key, list[Judgement]] = {}
    for name, line, check, verdict, reason in _ROW.findall(TABLE.read_text(encoding="utf-8")):
        table.setdefault((name, int(line), check), []).append(Judgement(verdict == "right", reason))
    return table
