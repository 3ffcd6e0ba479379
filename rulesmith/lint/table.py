"""Every check, in the groups in which `rulesmith check` knows them; `--select` takes the names of both."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from rulesmith.lint.faults import FAULTS

if TYPE_CHECKING:
    from types import ModuleType

GROUPS: dict[str, tuple[str, ...]] = {
    "loses-mail": (
        "action-chain-too-long",
        "action-never-found",
        "cache-before-delivery",
        "constant-cache-key",
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
        "rewrite-without-message",
        "root-without-user",
        "small-maximum-size",
        "two-stdin-accounts",
        "unclosed-quote",
        "unlocked-mailbox",
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
        "alternative-without-header",
        "area-of-last-only",
        "attachment-count",
        "attachment-size-below",
        "brackets-as-text",
        "case-of-field-name",
        "case-without-effect",
        "change-after-delivery",
        "comment-in-string",
        "counts-before-rewrite",
        "date-in-command",
        "day-of-year",
        "eaten-backslash",
        "empty-alternative",
        "empty-regexp",
        "glob-in-regexp",
        "group-as-text",
        "header-name-with-colon",
        "header-without-area",
        "inside-maildir",
        "list-only-in-to",
        "macro-in-single-quotes",
        "matches-everything",
        "missing-anchor",
        "missing-blank",
        "missing-unit",
        "misspelt-header",
        "mixed-and-or",
        "non-ascii-in-regexp",
        "not-or-not",
        "option-set-twice",
        "percent-removed",
        "quantifier-as-text",
        "quoted-command",
        "regexp-dialect-difference",
        "regexp-in-glob",
        "relative-delivery-path",
        "relative-include",
        "short-month",
        "stale-submatch",
        "tag-in-regexp",
        "unclosed-tag",
        "undated-mail",
        "undefined-macro",
        "unescaped-dot",
        "unknown-tag",
        "users-multiply",
    ),
    "slow": (
        "body-search-without-text",
        "slow-regexp",
    ),
    "trusts-the-sender": (
        "forgeable-spam-header",
        "tag-in-command",
        "tag-in-path",
    ),
    "dead-or-risky": (
        "duplicate-rule",
        "password-in-the-clear",
        "plain-password",
        "readable-mail",
        "readable-password",
        "unused-account",
        "unused-action",
        "unused-cache",
        "unused-macro",
        "unverified-certificate",
    ),
}
# Looks at the machine, and so only with --online.
ONLINE: tuple[str, ...] = (
    "dovecot-disagrees",
    "missing-folder",
    "missing-mailbox",
    "missing-program",
    "repeated-delivery",
)
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
    """The findings that names and groups stand for. KeyError with the word that is neither."""
    found: set[str] = set()
    for word in words:
        if word in GROUPS:
            found.update(GROUPS[word])
        elif word in NAMES or word in ONLINE or word in FAULTS:
            found.add(word)
        else:
            raise KeyError(word)
    return found
