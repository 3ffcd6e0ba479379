"""The words of the language: every spelling and the terminal of `fdm.lark` that it is (fdm.conf(5))."""

from __future__ import annotations

# One token each. The terminal is the first spelling in capitals.
_SPELLINGS = """
set account accounts action actions match cache expire
include ifdef ifndef endif

maximum-size lock-types=lock-type lock-file lock-wait lock-timeout delete-oversized ignore-errors allow-multiple
default-user command-user strip-characters timeout queue-high queue-low parallel-accounts proxy
verify-certificates unmatched-mail purge-after no-received no-create file-group file-umask lookup-order
regexp-dialect
fcntl flock dotlock none keep drop passwd posix pcre
queue journal problem-mailbox queue-tries queue-time
scan scan-timeout scan-maximum-size scan-failure trusted-hops unreachable error oversized deliver defer
dovecot dovecot-folders

disabled stdin pop3 pop3s imap imaps nntp nntps maildir maildirs mbox mboxes server port user users pass pipe
new-only old-only folder folders group groups no-apop no-verify no-uidl starttls insecure
no-cram-md5 no-login no-plain oauthbearer xoauth2

tag value compress exec write append stdout rewrite add-header remove-header remove-headers
add-to-cache=to-cache remove-from-cache key smtp lmtp from to

all not and or case in headers body returns tagged size string in-cache matched unmatched age invalid
attachment count total-size any-size any-type any-name spam score symbol continue

bytes=B=b=byte kilobytes=K=k=KB=kb=kilobyte megabytes=M=m=MB=mb=megabyte gigabytes=G=g=GB=gb=gigabyte
seconds=second minutes=minute hours=hour days=day weeks=week months=month years=year

header domain
"""

SPELLINGS: dict[str, tuple[str, ...]] = {}  # terminal → its spellings, the usual one first
KEYWORDS: dict[str, str] = {}  # spelling → terminal
for _entry in _SPELLINGS.split():
    _names = tuple(_entry.split("="))
    _terminal = _names[0].upper().replace("-", "_")
    SPELLINGS[_terminal] = _names
    KEYWORDS.update(dict.fromkeys(_names, _terminal))

SYMBOLS = {
    "=": "EQUALS",
    "==": "EQ",
    "!": "BANG",
    "!=": "NE",
    "~": "TILDE",
    "+": "PLUS",
    "(": "LPAR",
    ")": "RPAR",
    ",": "COMMA",
    "<": "LT",
    ">": "GT",
    "{": "LBRACE",
    "}": "RBRACE",
    "*": "STAR",
}
_SYMBOL_OF = {terminal: symbol for symbol, terminal in SYMBOLS.items()}

STRINGS = frozenset({"STR", "STRMACRO", "STRCOMMAND"})
NUMBERS = frozenset({"NUMBER", "NUMMACRO", "NUMCOMMAND"})

# fdm has no such words: where the grammar does not want them, they are as unknown as any other.
_OURS = """
    REGEXP_DIALECT POSIX PCRE QUEUE JOURNAL PROBLEM_MAILBOX QUEUE_TRIES QUEUE_TIME SCAN SCAN_TIMEOUT
    SCAN_MAXIMUM_SIZE SCAN_FAILURE TRUSTED_HOPS UNREACHABLE ERROR OVERSIZED DELIVER DEFER SPAM SCORE SYMBOL
    DOVECOT DOVECOT_FOLDERS
"""
OURS = frozenset(_OURS.split())

# What a unit multiplies by: octets, or seconds. A month is four weeks and a year twelve of these (fdm.conf(5)).
UNITS = {
    "BYTES": 1,
    "KILOBYTES": 1 << 10,
    "MEGABYTES": 1 << 20,
    "GIGABYTES": 1 << 30,
    "SECONDS": 1,
    "MINUTES": 60,
    "HOURS": 3600,
    "DAYS": 86400,
    "WEEKS": 7 * 86400,
    "MONTHS": 28 * 86400,
    "YEARS": 336 * 86400,
}


def spelling(terminal: str) -> str:
    """How a terminal is usually written."""
    return SPELLINGS[terminal][0] if terminal in SPELLINGS else _SYMBOL_OF.get(terminal, terminal)
