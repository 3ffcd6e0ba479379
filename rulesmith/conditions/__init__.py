"""The conditions of the language: one file a word, loaded when a program uses it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each word of the language and the module that serves it.
WORDS = {
    "account": "account",
    "age": "age",
    "age-invalid": "age_invalid",
    "all": "all",
    "attachment-any-name": "attachment_any_name",
    "attachment-any-size": "attachment_any_size",
    "attachment-any-type": "attachment_any_type",
    "attachment-count": "attachment_count",
    "attachment-total-size": "attachment_total_size",
    "exec": "exec",
    "in-cache": "in_cache",
    "matched": "matched",
    "pipe": "pipe",
    "regexp": "regexp",
    "size": "size",
    "spam-action": "spam_action",
    "spam-score": "spam_score",
    "spam-symbol": "spam_symbol",
    "string": "string",
    "tagged": "tagged",
    "unmatched": "unmatched",
}


_loaded: dict[str, Any] = {}


def condition(word: str) -> Any:
    """The module of a condition. A program loads only those that its messages reach."""
    module = _loaded.get(word)
    if module is None:
        name = WORDS.get(word, word)
        module = _loaded[word] = __import__("rulesmith.conditions." + name, fromlist=("explain",))
    return module
