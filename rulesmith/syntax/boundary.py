"""Where a statement begins among the words, when the parser cannot say because the one before is broken.

The words `action`, `account` and `cache` also stand inside statements, and line ends mean nothing: what follows
them decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.suggest import suggest
from rulesmith.syntax.expectation import ACCOUNTS, ITEMS
from rulesmith.syntax.words import STRINGS

if TYPE_CHECKING:
    from rulesmith.syntax.word import Word

_ALWAYS = frozenset({"MATCH", "SET", "INCLUDE", "IFDEF", "ENDIF", "$END"})
_AFTER_NAME = {
    "ACTION": ITEMS | {"LBRACE", "USER", "USERS"},
    "ACCOUNT": ACCOUNTS | {"DISABLED", "USER", "USERS"},
}
_WORDS = ("match", "set", "account", "action", "cache", "include", "ifdef", "ifndef", "endif")
_TEXTS = STRINGS | {"UNDEFINED_STRMACRO", "UNKNOWN"}


def starts_statement(words: list[Word], at: int) -> bool:
    """Whether a statement most probably begins at this word."""
    word = words[at]
    if word.type in _ALWAYS:
        return True
    if word.type in ("STRMACRO", "NUMMACRO"):
        return words[at + 1].type == "EQUALS"
    if not first_on_line(words, at):
        return False
    if word.type == "UNKNOWN":
        return suggest(str(word.value), _WORDS) is not None
    if word.type == "CACHE":
        return words[at + 1].type in STRINGS
    wanted = _AFTER_NAME.get(word.type)
    if wanted is None:
        return False
    at += 1
    if words[at].type not in _TEXTS:
        return False
    while words[at + 1].type == "PLUS" and words[at + 2].type in _TEXTS:
        at += 2
    after = words[at + 1]
    return after.type in wanted or (after.type == "UNKNOWN" and not first_on_line(words, at + 1))


def first_on_line(words: list[Word], at: int) -> bool:
    """Whether no other word stands before it on its line."""
    if at == 0 or words[at - 1].source is not words[at].source:
        return True
    return "\n" in words[at].source.text[words[at - 1].end : words[at].start]
