"""The actions of the language: one file a word, loaded when a message reaches it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each word of the language and the module that serves it.
WORDS = {
    # A module of that name would hide the function below once it is loaded.
    "action": "chain",
    "add-header": "add_header",
    "add-to-cache": "add_to_cache",
    "append": "append",
    "drop": "drop",
    "exec": "exec",
    "imap": "imap",
    "imaps": "imaps",
    "keep": "keep",
    "lmtp": "lmtp",
    "maildir": "maildir",
    "mbox": "mbox",
    "pipe": "pipe",
    "remove-from-cache": "remove_from_cache",
    "remove-header": "remove_header",
    "rewrite": "rewrite",
    "smtp": "smtp",
    "stdout": "stdout",
    "tag": "tag",
    "write": "write",
}


_loaded: dict[str, Any] = {}


def action(word: str) -> Any:
    """The module of an action. A run loads only those that its messages reach."""
    module = _loaded.get(word)
    if module is None:
        module = _loaded[word] = __import__("rulesmith.actions." + WORDS[word], fromlist=("perform",))
    return module
