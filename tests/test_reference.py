"""The manual cannot lie: pages and man pages are made from the texts beside the code, and examples are read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"


def test_pages_and_man_pages_are_fresh() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"run tools/reference.py; stale: {run.stdout}{run.stderr}"


def test_every_setting_has_its_line() -> None:
    from rulesmith.compiler.settings import defaults

    page = (PAGES / "settings.md").read_text(encoding="utf-8")
    missing = [name for name in defaults() if f"`{name}" not in page]
    assert not missing


@pytest.mark.parametrize("manual", ["fdm.1", "rulesmith.1", "fdm.conf.5"])
def test_man_pages_have_no_markdown_left(manual: str) -> None:
    text = (ROOT / "man" / manual).read_text(encoding="utf-8")
    assert text.startswith(".TH ")
    assert "`" not in re.sub(r"strip.*|.*\\<>\$%.*", "", text)
