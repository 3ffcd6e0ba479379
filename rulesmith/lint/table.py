"""Every check, in the groups in which `rulesmith check` knows them; `--select` takes the names of both."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

GROUPS: dict[str, tuple[str, ...]] = {
    "loses-mail": (
        "action-chain-too-long",
        "cache-before-delivery",
        "delivered-again",
        "drop-by-body-text",
        "drop-oversized",
        "drop-then-deliver",
        "dropped-come-back",
        "exec-without-message",
        "failure-thrown-away",
        "ignored-errors",
        "keep-on-stdin",
        "keep-overridden",
        "no-final-rule",
        "no-lock",
        "nothing-stored",
        "one-file-for-all",
        "output-thrown-away",
        "pipeline-hides-failure",
        "repeated-delivery",
        "rewrite-without-message",
        "root-without-user",
        "small-maximum-size",
        "two-stdin-accounts",
        "unclosed-quote",
    ),
    "never-matches": (
        "cache-never-filled",
        "header-in-body",
        "impossible-rule",
        "regexp-never-matches",
        "shadowed-rule",
        "spam-without-scan",
        "tag-never-set-before",
        "unreachable-rule",
    ),
    "means-something-else": (
        "change-after-delivery",
        "regexp-dialect-difference",
        "tag-in-regexp",
        "undefined-macro",
        "unknown-tag",
    ),
    "slow": (),
    "trusts-the-sender": ("tag-in-command",),
    "dead-or-risky": ("duplicate-rule",),
}
# Looks at the machine, and so only with --online.
ONLINE: tuple[str, ...] = ()
NAMES = tuple(name for names in GROUPS.values() for name in names)


@cache
def module(name: str) -> ModuleType:
    """The module of a check: its docstring is its page, and it has NAME, SEVERITY and `check`."""
    return importlib.import_module(f"rulesmith.lint.rules.{name.replace('-', '_')}")


def needs_program(name: str) -> bool:
    """Whether a check follows messages through the rules, and so needs a configuration that is not refused."""
    found: Any = getattr(module(name), "NEEDS_PROGRAM", False)
    return bool(found)


def expand(words: tuple[str, ...]) -> set[str]:
    """The checks that names and groups stand for. KeyError with the word that is neither."""
    found: set[str] = set()
    for word in words:
        if word in GROUPS:
            found.update(GROUPS[word])
        elif word in NAMES or word in ONLINE:
            found.add(word)
        else:
            raise KeyError(word)
    return found
