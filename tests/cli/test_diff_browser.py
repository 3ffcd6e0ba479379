"""The report of `rulesmith diff --html` as a real browser shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser, browser
from tests.cli.hostile_diff import ATTACKS, hostile_report
from tests.parts import Missing

WIDE, NARROW = (1280, 900), (390, 800)
BOX = "(e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_report(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def shown(page: Path) -> Iterator[Browser]:
    """The report is loaded once; the tests look at it."""
    try:
        with browser() as found:
            found.size(*WIDE)
            found.open(page)
            yield found
    except Missing as missing:
        pytest.skip(f"no browser to look with: {missing}")


def boxes(shown: Browser, selector: str) -> list[list[float]]:
    found: list[list[float]] = shown.ask(f"[...document.querySelectorAll({selector!r})].map({BOX})")
    assert found, selector
    return found


def test_nothing_is_asked_of_any_network_and_nothing_is_run(shown: Browser, page: Path) -> None:
    asked = [each["request"]["url"] for each in shown.named("Network.requestWillBeSent")]
    assert asked == [page.as_uri()]
    said = shown.named(
        "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening"
    )
    assert said == []
    assert shown.ask("document.querySelectorAll('script, img, iframe, base, a, form, link, object').length") == 0


def test_hostile_subjects_are_text_that_can_be_seen(shown: Browser) -> None:
    texts = shown.ask("[...document.querySelectorAll('.subject')].map(e => e.innerText)")
    assert {*texts} >= {*ATTACKS[:3]}
    for left, top, right, bottom in boxes(shown, ".subject"):
        assert right - left > 50
        assert bottom - top > 10
    assert shown.ask("document.querySelectorAll('#groups tbody tr').length") == len(boxes(shown, "#groups tbody tr"))


def test_what_may_lose_mail_stands_on_top(shown: Browser) -> None:
    rows = shown.ask("[...document.querySelectorAll('#groups tbody tr')].map(e => e.innerText)")
    assert ["DROPPED" in rows[0], "LOST" in rows[1], "LOST" in rows[2]] == [True, True, False]
    tops = [top for _, top, _, _ in boxes(shown, "#groups tbody tr")]
    assert tops == sorted(tops)


def test_the_stream_is_as_wide_as_the_mail_in_it(shown: Browser) -> None:
    def widths(side: str) -> list[float]:
        return [right - left for left, _, right, _ in boxes(shown, f"#flow-{side} .stream")]

    # 40 come in; of 10 plain ones 30 are left; then old takes all, and new drops 4, files 12, takes 10, leaves 4.
    unit = widths("old")[0] / 30
    assert widths("old") == pytest.approx([30 * unit], rel=0.01)
    assert widths("new") == pytest.approx([30 * unit, 26 * unit, 14 * unit, 4 * unit], rel=0.01)
    bands = [bottom - top for _, top, _, bottom in boxes(shown, "#flow-new path")]
    assert bands[2] - bands[1] == pytest.approx(8 * unit, abs=1)


def test_words_of_the_picture_can_be_read(shown: Browser) -> None:
    for side in ("old", "new"):
        (left, top, right, bottom) = boxes(shown, f"#flow-{side}")[0]
        words = boxes(shown, f"#flow-{side} text")
        for word in words:
            assert left <= word[0] < word[2] <= right
            assert top <= word[1] < word[3] <= bottom
        for above, below in pairwise(words):
            assert above[3] <= below[1] + 2, (side, above, below)


def test_old_stands_beside_new_or_above_it_where_there_is_no_room(shown: Browser) -> None:
    old, new = boxes(shown, "figure")
    assert old[2] <= new[0]
    assert abs(old[1] - new[1]) < 1
    shown.size(*NARROW)
    try:
        old, new = boxes(shown, "figure")
        assert old[3] <= new[1]
        assert shown.ask("document.documentElement.scrollWidth") <= NARROW[0]
    finally:
        shown.size(*WIDE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_both_be_read(shown: Browser, scheme: str) -> None:
    shown.prefer(scheme)
    back = colour(shown, "body", "backgroundColor")
    assert (sum(back) > 380) == (scheme == "light")
    for selector in ("h1", ".subject", ".dim", "caption", "td"):
        assert contrast(colour(shown, selector, "color"), back) >= 4.5, selector
    for selector in ("svg text", "svg .dim"):
        assert contrast(colour(shown, selector, "fill"), back) >= 4.5, selector
    mark = colour(shown, ".mark", "color"), colour(shown, ".mark", "backgroundColor")
    assert contrast(*mark) >= 4.5
    # What tells the bands from the page does not have to be read.
    for selector in (".took", ".drop", ".lost"):
        assert contrast(colour(shown, selector, "fill"), back) >= 3, selector


def colour(shown: Browser, selector: str, name: str) -> tuple[float, ...]:
    written = shown.ask(f"getComputedStyle(document.querySelector({selector!r})).{name}")
    assert written.startswith("rgb("), (selector, written)
    return tuple(float(each) for each in written[4:-1].split(","))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """As WCAG 2 counts it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[float, ...]) -> float:
    parts = [each / 255 for each in colour]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_screen_reader_is_told_all_of_it(shown: Browser) -> None:
    nodes: list[dict[str, Any]] = shown.call("Accessibility.getFullAXTree")["nodes"]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
    pictures = [name for role, name in found if role in ("image", "img")]
    assert len(pictures) == 2
    assert all("The way of the mail through" in name and "40 messages come in" in name for name in pictures)
    heads = [name for role, name in found if role == "columnheader"]
    assert heads[:2] == ["Messages", "What would change"]
    assert ("rowheader", "4 of 40") in found
    assert next(name for role, name in found if role == "heading") == "20 of 40 messages would change"
