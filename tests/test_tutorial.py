"""Pages with commands are true: their files are written and their commands run, in order, and print what they say."""

from __future__ import annotations

import pytest

from tests.terminal import ROOT, play, terminal


@pytest.mark.parametrize("name", ["tutorial.md", "terminal.md"])
def test_every_command_prints_what_the_page_says(name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    commands = 0
    with terminal() as on:
        for printed in play(page, on):
            assert printed.as_the_page_says, f"$ {printed.step.command}\n{printed.text}"
            commands += 1
    assert commands > 10
