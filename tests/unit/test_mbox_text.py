"""Separators of an mbox, and the lines that must not look like one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rulesmith.mail import mbox_text


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_utc")
def test_a_separator_names_address_and_time() -> None:
    assert mbox_text.separator(b"bob@example.org", 1583143200) == b"From bob@example.org Mon Mar  2 10:00:00 2020"


@pytest.mark.parametrize(
    ("raw", "quoted"),
    [
        (b"A: 1\n\nFrom x\n", b"A: 1\n\n>From x\n"),
        (b"From x\nblah\n", b">From x\nblah\n"),
        (b">>From x\n>From y", b">>>From x\n>>From y"),
        (b"a From x\n> From y\n>aFrom z\nFrom: w\nFromage\n", None),
        (b"From From x\n", b">From From x\n"),
        (b"x\r\nFrom y\r\n", b"x\r\n>From y\r\n"),
        (b"", None),
    ],
)
def test_lines_that_look_like_separators_are_quoted_and_come_back(raw: bytes, quoted: bytes | None) -> None:
    assert mbox_text.quote(raw) == (raw if quoted is None else quoted)
    assert mbox_text.unquote(mbox_text.quote(raw)) == raw


def test_one_mark_goes_from_each_quoted_line_only() -> None:
    assert mbox_text.unquote(b">From a\n>>From b\n> From c\nFrom d\n>Fromx\n") == (
        b"From a\n>From b\n> From c\nFrom d\n>Fromx\n"
    )
