"""The real fetchmail for tests that need no network, and places for a household of their own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rulesmith.container.places import Places
from tests.parts import mail_programs


def command() -> tuple[str, ...]:
    """How fetchmail is called. Raises Missing where it cannot be had."""
    parts = mail_programs()
    if parts is None or shutil.which("fetchmail"):
        return ("fetchmail",)
    return ("env", f"LD_LIBRARY_PATH={libraries(parts)}", str(parts / "usr/bin/fetchmail"))


def libraries(parts: Path) -> str:
    """The folders of shared libraries in unpacked packages."""
    return ":".join(str(folder) for folder in (parts / "usr/lib").glob("*-linux-gnu*"))


def places(top: Path, fetchmail: tuple[str, ...]) -> Places:
    """Everything below one folder."""
    for name in ("config/users", "homes", "state", "mail", "scan", "services", "logs"):
        (top / name).mkdir(parents=True)
    return Places(
        users=top / "config/users",
        homes=top / "homes",
        state=top / "state",
        passwd=top / "mail/passwd",
        scan=top / "scan",
        services=top / "services",
        logs=top / "logs",
        report=top / "keeper.json",
        mail_name=os.environ.get("USER", "root"),
        become_mail=(),
        fetchmail=fetchmail,
        rulesmith=(sys.executable, "-m", "rulesmith"),
        pause=("true",),
    )
