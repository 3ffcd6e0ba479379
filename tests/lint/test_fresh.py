"""Seven configurations written by somebody who had not looked at the checks that were there (docs/precision.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.corpus import findings

FOLDER = Path(__file__).parent / "fresh"
# What is said of them, each rightly.
FOUND: dict[str, list[tuple[int, str]]] = {
    "cache-and-bogofilter": [(6, "short-month")],
    "copies-first": [
        (7, "unused-action"),
        (7, "one-file-for-all"),
        (13, "regexp-dialect-difference"),
        (15, "impossible-rule"),
        (18, "impossible-rule"),
        (19, "impossible-rule"),
        (20, "nothing-stored"),
    ],
    "folder-by-tag": [
        (8, "unused-action"),
        (8, "pipeline-hides-failure"),
        (9, "unused-action"),
        (11, "unlocked-mailbox"),
    ],
    "nested-and-ifdef": [(15, "short-month"), (25, "regexp-dialect-difference")],
    "several-accounts": [
        (4, "quoted-command"),
        (5, "quoted-command"),
        (17, "slow-regexp"),
        (17, "tag-in-path"),
        (18, "tag-in-path"),
    ],
    "sorted-lists": [],
    "verdicts": [],
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_said_is_right(name: str) -> None:
    found, _ = findings(name, (FOLDER / f"{name}.conf").read_text(encoding="utf-8"))
    assert [(each.at.span.line, each.name) for each in found] == FOUND[name]


def test_every_file_is_looked_at() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.conf")}
    assert set(texts) == set(FOUND)
    assert sum(findings(name, text)[1] for name, text in texts.items()) == 89
