"""One word, one file, one alternative in the grammar, one page: a forgotten place fails here."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from rulesmith import actions, conditions
from tests.typing import vocabulary

ROOT = Path(__file__).parent.parent
GRAMMAR = (ROOT / "grammar" / "fdm.lark").read_text(encoding="utf-8")
PARTS = {"conditions": (conditions, "condition"), "actions": (actions, "item")}
# Modules beside the words: what several of them share.
SHARED = {
    "conditions": {"__init__", "protocol", "command", "comparison", "returns", "unknown"},
    "actions": {"__init__", "shell"},
}


def words(part: str) -> dict[str, str]:
    found: dict[str, str] = PARTS[part][0].WORDS
    return found


@pytest.mark.parametrize("part", PARTS)
def test_the_grammar_has_exactly_the_words(part: str) -> None:
    aliases = re.findall(rf"->\s*{PARTS[part][1]}_(\w+)", GRAMMAR)
    assert {alias.replace("_", "-") for alias in aliases} == set(words(part))


@pytest.mark.parametrize("part", PARTS)
def test_every_word_is_a_file_and_every_file_a_word(part: str) -> None:
    files = {path.stem for path in (ROOT / "rulesmith" / part).glob("*.py")}
    assert files - SHARED[part] == set(words(part).values())
    assert SHARED[part] <= files


@pytest.mark.parametrize("part", PARTS)
def test_every_word_has_a_page_and_every_page_a_word(part: str) -> None:
    pages = {path.stem for path in (ROOT / "docs" / "reference" / part).glob("*.md")} - {"index"}
    assert pages == set(words(part))


@pytest.mark.parametrize("part", PARTS)
def test_mypy_sees_every_word(part: str) -> None:
    seen = {module.__name__ for module in getattr(vocabulary, part.upper())}
    assert seen == {f"rulesmith.{part}.{module}" for module in words(part).values()}


@pytest.mark.parametrize(("part", "word"), [(part, word) for part in PARTS for word in words(part)])
def test_a_word_explains_itself(part: str, word: str) -> None:
    module = importlib.import_module(f"rulesmith.{part}.{words(part)[word]}")
    for part_of_the_page in ("\nSyntax: ", "\nExample:"):
        assert part_of_the_page in (module.__doc__ or "")
