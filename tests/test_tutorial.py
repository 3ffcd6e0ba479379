"""The tutorial is true: its files are written and its commands run, in order, and print what it says."""

from __future__ import annotations

from tests.terminal import ROOT, play, terminal


def test_every_command_prints_what_the_tutorial_says() -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    commands = 0
    with terminal() as on:
        for printed in play(page, on):
            assert printed.as_the_page_says, f"$ {printed.step.command}\n{printed.text}"
            commands += 1
    assert commands > 10
