"""The manual cannot lie: pages and man pages are made from the texts beside the code, and examples are read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"


def _pages(family: str) -> list[str]:
    return [path.stem for path in (PAGES / family).glob("*.md")]


def _page(family: str, word: str) -> str:
    return (PAGES / family / f"{word}.md").read_text(encoding="utf-8")


def test_pages_and_man_pages_are_fresh() -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"run tools/reference.py; stale: {run.stdout}{run.stderr}"


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    from rulesmith.lint.table import NAMES, ONLINE

    assert {*_pages("checks")} - {"index"} == {*NAMES, *ONLINE}


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


MAIL = "From: bob@example.org\nTo: me@example.org\nSubject: hello\nDate: Mon, 2 Mar 2020 10:00:00 +0000\n\nbody\n"
WORDS = [(family, word) for family in ("conditions", "actions") for word in sorted(_pages(family))]


@pytest.mark.parametrize(("family", "word"), WORDS)
def test_the_example_of_every_page_is_a_configuration_that_works(family: str, word: str, tmp_path: Path) -> None:
    """What an example leaves to the reader (accounts, actions, caches) is added; then a message goes through it."""
    (example,) = re.findall(r"^Example:\n\n((?:    .*\n|\n)+)", _page(family, word), re.MULTILINE)
    added = ['set default-user "root"', 'account "stdin" stdin', f'$home = "{tmp_path}"']
    statements = example.replace("\n    ", "\n").removeprefix("    ").rstrip() + "\n"
    result = _check(tmp_path, added, statements)
    for line in result.splitlines():
        finding = json.loads(line)
        named = re.search(r'"(.*)"', finding["message"])
        if finding["name"] == "unknown-action" and named:
            added.append(f'action "{named[1]}" drop')
        elif finding["name"] == "unknown-cache" and named:
            added.append(f'cache "{named[1]}"')
    left = [json.loads(line) for line in _check(tmp_path, added, statements).splitlines()]
    assert not [finding for finding in left if finding["severity"] == "error"], statements

    message = tmp_path / "message"
    message.write_text(MAIL)
    actions = re.findall(r'^action "([^"]*)"', statements, re.MULTILINE)
    called = "".join(f'match all action "{name}"\n' for name in actions) or "match all action drop\n"
    (tmp_path / "conf").write_text("\n".join(added) + "\n" + statements + called)
    options = ["dry-run", "--run-commands", "--format", "json", "-f", str(tmp_path / "conf"), str(message)]
    run = CliRunner().invoke(rulesmith, options)
    report = json.loads(run.stdout)
    assert report["outcome"] in ("delivered", "dropped", "kept"), report


def _check(folder: Path, added: list[str], statements: str) -> str:
    (folder / "conf").write_text("\n".join(added) + "\n" + statements + "match all action drop\n")
    return CliRunner().invoke(rulesmith, ["check", "--format", "json", str(folder / "conf")]).stdout
