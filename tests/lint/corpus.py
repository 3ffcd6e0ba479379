"""Configurations as people write them, and fdm's own examples: what the checks say of them is judged in docs."""

from __future__ import annotations

from pathlib import Path

from rulesmith import lint
from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.diagnostics.model import Diagnostic

FOLDER = Path(__file__).parent / "corpus"
ROOT = (b"root", 0, 0, b"/root")
DAEMON = (b"daemon", 1, 1, b"/usr/sbin")
HOME = (b"user", 1000, 1000, b"/home/user")


def configurations() -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.conf"))}


def findings(name: str, text: str) -> tuple[list[Diagnostic], int]:
    """What is said of a configuration, and how many rules it has."""
    files = {"/home/user/.fdm/macros.conf": b"", f"{name}.conf": text.encode()}
    holdings = Holdings(files=files, users=[ROOT, DAEMON], groups={b"users": 100})
    machine = Imagined(holdings, path=f"{name}.conf", me=HOME, hostname=b"mail.example.org", now=1_600_000_000)
    compiled = compile_text(f"{name}.conf", text, machine)
    assert compiled.program is not None, name
    return lint.findings(compiled), compiled.lowered.rule_count
