"""What could have stood where the parser stopped, in words that a person uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.syntax.words import NUMBERS, SPELLINGS, STRINGS, SYMBOLS, UNITS, spelling

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 5


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


OPTIONS = _set(
    """MAXIMUM_SIZE LOCK_TYPES LOCK_FILE LOCK_WAIT LOCK_TIMEOUT DELETE_OVERSIZED IGNORE_ERRORS ALLOW_MULTIPLE
    DEFAULT_USER COMMAND_USER STRIP_CHARACTERS TIMEOUT QUEUE_HIGH QUEUE_LOW PARALLEL_ACCOUNTS PROXY
    VERIFY_CERTIFICATES UNMATCHED_MAIL PURGE_AFTER NO_RECEIVED NO_CREATE FILE_GROUP FILE_UMASK LOOKUP_ORDER
    REGEXP_DIALECT QUEUE JOURNAL PROBLEM_MAILBOX QUEUE_TRIES QUEUE_TIME SCAN SCAN_TIMEOUT SCAN_MAXIMUM_SIZE
    SCAN_FAILURE TRUSTED_HOPS DOVECOT DOVECOT_FOLDERS"""
)
CONDITIONS = STRINGS | _set(
    "ALL MATCHED UNMATCHED CASE ACCOUNT ACCOUNTS EXEC PIPE TAGGED SIZE STRING IN_CACHE AGE ATTACHMENT SPAM"
)
ITEMS = _set(
    """DROP KEEP STDOUT TAG MAILDIR MBOX EXEC PIPE REWRITE WRITE APPEND ADD_HEADER REMOVE_HEADER REMOVE_HEADERS
    ADD_TO_CACHE REMOVE_FROM_CACHE SMTP LMTP IMAP IMAPS ACTION ACTIONS"""
)
ACCOUNTS = _set("STDIN POP3 POP3S IMAP IMAPS NNTP NNTPS MAILDIR MAILDIRS MBOX MBOXES")
STATEMENTS = _set("SET ACCOUNT ACTION MATCH CACHE STRMACRO NUMMACRO INCLUDE IFDEF ENDIF")

# Sets of terminals that one phrase names. A set counts where all of it is accepted; the larger stand first.
_GROUPS: tuple[tuple[str, frozenset[str]], ...] = (
    ("an option of `set`", OPTIONS),
    ("something to do (such as `maildir` or `drop`)", ITEMS),
    ("a condition", CONDITIONS | {"NOT"}),
    ("a condition", CONDITIONS),
    ("a kind of account (such as `stdin`)", ACCOUNTS),
    ("a new statement", STATEMENTS),
    ("a string", STRINGS),
    ("a number", NUMBERS),
    ("a unit of size", frozenset(list(UNITS)[:4])),
    ("a unit of time", frozenset(list(UNITS)[4:])),
)
# Said last, and only where there is room: these may nearly always follow.
_LATE = ("`+`", "a unit of size", "a unit of time", "a new statement")


def in_words(accepted: Iterable[str]) -> str:
    """At most five of the things that could have followed: "a string, `action` or `{`"."""
    left = set(accepted)
    phrases: list[str] = []
    for phrase, group in _GROUPS:
        if group <= left:
            phrases.append(phrase)
            left -= group
    if left == {"$END"} and not phrases:
        return "the end of the file"
    left.discard("$END")
    symbols = left & set(SYMBOLS.values())
    said = _once([*words_said(sorted(left - symbols)), *phrases, *words_said(sorted(symbols))])
    said.sort(key=lambda phrase: phrase in _LATE)
    del said[_MOST:]
    return f"{', '.join(said[:-1])} or {said[-1]}" if len(said) > 1 else said[0] if said else "nothing more"


def words_said(terminals: Iterable[str]) -> list[str]:
    """Terminals as they are typed, between back quotes."""
    return [f"`{spelling(terminal)}`" for terminal in terminals]


def _once(said: list[str]) -> list[str]:
    """Without repetitions, and without the plural where the singular is said as well."""
    singular = [words for words in said if not (words.endswith("s`") and words[:-2] + "`" in said)]
    return list(dict.fromkeys(singular))


def spellings(accepted: Iterable[str]) -> list[str]:
    """Every way to write the accepted words, for "did you mean"; units of one letter are no help."""
    return [name for terminal in accepted for name in SPELLINGS.get(terminal, ()) if len(name) > 2]
