"""Every file is one room: 400 lines are the most, and who needs more is named here with the reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIMIT = 400
EXCEPTIONS: dict[str, str] = {}
PARTS = ("bench", "demo", "grammar", "rulesmith", "tests")
KINDS = (".py", ".lark")


def _files() -> list[str]:
    """What git knows, or would: in a source archive without git, what lies there."""
    ask = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        return sorted(str(path.relative_to(ROOT)) for top in PARTS for path in (ROOT / top).rglob("*"))
    return listed.stdout.split("\n")


@pytest.mark.parametrize("name", [name for name in _files() if name.endswith(KINDS) and (ROOT / name).is_file()])
def test_a_file_is_no_longer_than_one_room(name: str) -> None:
    lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    assert lines <= LIMIT or name in EXCEPTIONS
    assert lines > LIMIT or name not in EXCEPTIONS, "no longer an exception"
