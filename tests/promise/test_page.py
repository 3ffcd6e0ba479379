"""docs/promise.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(set(re.findall(r"`((?:tests/)?[\w/]*test_\w+(?:\.py|…)?)`", (ROOT / "docs" / "promise.md").read_text())))
FILES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("tests/**/test_*.py")}
TESTS = [name for text in FILES.values() for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_there(name: str) -> None:
    if name.endswith(".py"):
        assert name in FILES or f"tests/faults/{name}" in FILES
    elif name.endswith("…"):
        assert any(test.startswith(name[:-1]) for test in TESTS)
    else:
        assert name in TESTS
