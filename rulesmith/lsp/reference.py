"""The lines of the reference: what a setting, tag, condition, action or other word does."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from rulesmith.actions import WORDS as ACTIONS
from rulesmith.conditions import WORDS as CONDITIONS


@cache
def _tables() -> dict[str, dict[str, str]]:
    """Made by tools/reference.py from the tables of docs/reference."""
    text = Path(__file__).with_name("reference.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def setting(option: str) -> str | None:
    """What an option of `set` does, with its syntax and default."""
    return _tables()["settings"].get(option)


def word(spelling: str) -> str | None:
    """What any other word does."""
    return _tables()["words"].get(spelling)


def tag(name: str) -> str | None:
    """What a tag stands for, among those that are always there."""
    known = _tables()["tags"]
    return known.get(name) or next((known[key] for key in known if key[-1] == "*" and name.startswith(key[:-1])), None)


def tags() -> dict[str, str]:
    """The tags that are always there."""
    return {name: meaning for name, meaning in _tables()["tags"].items() if name[-1] != "*"}


def phrase(name: str, *, condition: bool) -> str | None:
    """The beginning of the page of a condition or action: what it does, and how it is written."""
    family, words = ("conditions", CONDITIONS) if condition else ("actions", ACTIONS)
    if name not in words:
        return None
    page = importlib.import_module(f"rulesmith.{family}.{words[name]}").__doc__ or ""
    return "\n\n".join(page.split("\n\n")[:2])
