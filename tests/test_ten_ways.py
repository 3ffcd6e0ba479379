"""The page of ten ways is true, of the real fdm as well as of ours."""

from __future__ import annotations

import re
from pathlib import Path

from tests.terminal import ROOT, Printed, play, terminal

PAGE = (ROOT / "docs" / "ten-ways.md").read_text(encoding="utf-8")


def test_every_command_prints_what_the_page_says(fdm22: str) -> None:
    ways: dict[str, list[Printed]] = {}
    with terminal() as on:
        on.add_real(str(Path(fdm22)))
        for printed in play(PAGE, on, homes=True):
            assert printed.as_the_page_says, f"{printed.step.section}\n$ {printed.step.command}\n{printed.text}"
            ways.setdefault(printed.step.section, []).append(printed)
    assert len(ways) == 10
    for way, all_of_it in ways.items():
        said = [(each.step.command.partition(" ")[0], each.text) for each in all_of_it]
        # fdm ends well each time, though that may be a second try; and `check` names a fault before it is too late.
        assert [text for name, text in said if name == "fdm-2.2"][-1].endswith("exit status 0\n"), way
        checks = [text for name, text in said if name == "rulesmith" and re.search(r"(warning|error)\[", text)]
        assert len(checks) == 1, way


def test_each_way_ends_with_a_form_that_is_right() -> None:
    for way in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        assert "nothing found in 1 file" in way.rpartition("\nRight")[2], way
