"""The words of a fetchmailrc, as the lexer of fetchmail 6.4 (rcfile_l.l) finds them.

The longest match wins, and among equally long ones the earlier rule, so that `idle` is an option, `'idle'` and `idled`
are strings, and the word after `user`, `password`, `is`, `to` or `=` is a string whatever it says.

A file is read as Latin-1: one letter is one octet, and every octet comes back as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What a word is, as far as it matters for the shape of a file."""

    STRING = auto()
    NUMBER = auto()
    SET = auto()
    SERVER = auto()  # poll, server, skip, defaults
    USER = auto()
    FOLDER = auto()
    IDLE = auto()
    NO = auto()
    OPTION = auto()  # any other word of the language


@dataclass(frozen=True)
class Word:
    """A word and where it stands."""

    kind: Kind
    start: int
    end: int


class _State(Enum):
    INITIAL = auto()
    NAME = auto()  # the next word is a string
    AUTH = auto()  # `password` is a way to authenticate


_BETWEEN = " \t\r\n;:,"
_DELIMITERS = frozenset("=" + _BETWEEN)
_KINDS = {
    "set": Kind.SET,
    "poll": Kind.SERVER,
    "server": Kind.SERVER,
    "skip": Kind.SERVER,
    "defaults": Kind.SERVER,
    "user": Kind.USER,
    "username": Kind.USER,
    "folder": Kind.FOLDER,
    "folders": Kind.FOLDER,
    "idle": Kind.IDLE,
    "no": Kind.NO,
}
# `no` in one word with what it turns off.
_NEGATED = frozenset(
    """nobouncemail nouidl nocheckalias nodns noenvelope nokeep noflush nolimitflush nofetchall norewrite noforcecr
    nostripcr nopass8 nopass8bits nodropstatus nodropdelivered nomimedec nomimedecode nospambounce noidle""".split()  # noqa: SIM905 — a list would be a page
)
_NAMES = frozenset(("user", "username", "pass", "password", "is", "to"))
_AUTHENTICATE = frozenset(("auth", "authenticate", "preauth", "preauthenticate"))
_WAYS = frozenset(
    """any gssapi kerberos kerberos4 kerberos_v4 kerberos5 kerberos_v5 ssh external otp opie cram cram-md5 msn
    ntlm""".split()  # noqa: SIM905 — a list would be a page
)
# Words without a meaning.
_NOISE = frozenset(("with", "and", "has", "wants", "options"))
_OPTIONS = frozenset(
    """logfile idfile pidfile daemon syslog invisible showdots postmaster bouncemail spambounce softbounce warnings
    tracepolls via aka local localdomains proto protocol service port interval timeout envelope qvirtual principal
    esmtpname esmtppassword bad-header accept reject smtp smtphost fetchdomains smtpaddress smtpname antispam mda bsmtp
    lmtp pre preconnect post postconnect interface monitor plugin plugout batchlimit fetchlimit fetchsizelimit fastuidl
    expunge properties here there keep flush limitflush fetchall rewrite forcecr stripcr pass8 pass8bits dropstatus
    dropdelivered mimedec mimedecode dns uidl ssl sslkey sslcert sslproto sslcertck sslcertfile sslcertpath
    sslcommonname sslfingerprint checkalias limit auto AUTO pop2 POP2 sdps SDPS pop3 POP3 imap IMAP apop APOP rpop RPOP
    etrn ETRN odmr ODMR kpop KPOP""".split()  # noqa: SIM905 — a list would be a page
)


def words(text: str) -> Iterator[Word]:
    """Every word of a file but those without a meaning."""
    state = _State.INITIAL
    at = 0
    while at < len(text):
        if text[at] in _BETWEEN:
            at += 1
            continue
        if (end := _comment(text, at)) is not None:
            at = end
            continue
        if text[at] == "=":
            yield Word(Kind.OPTION, at, at + 1)
            state = _State.NAME
            at += 1
            continue
        run = _run(text, at)
        quoted = _quoted(text, at)
        if quoted is not None and quoted >= run:
            yield Word(Kind.STRING, at, quoted)
            state = _State.INITIAL
            at = quoted
            continue
        if state is _State.NAME:
            yield Word(Kind.STRING, at, run)
            state = _State.INITIAL
            at = run
            continue
        word = text[at:run]
        if word in _NEGATED:
            yield Word(Kind.NO, at, at + 2)
            at += 2
            continue
        if word not in _NOISE:
            yield Word(_kind(word, state), at, run)
        state = _after(word, state)
        at = run


def _comment(text: str, at: int) -> int | None:
    """The end of a comment or of a backslash before the line's end; a comment needs a line's end to be one."""
    if text[at] == "#":
        end = text.find("\n", at)
        return None if end < 0 else end + 1
    return at + 2 if text.startswith("\\\n", at) else None


def _run(text: str, at: int) -> int:
    while at < len(text) and text[at] not in _DELIMITERS:
        at += 1
    return at


def _quoted(text: str, at: int) -> int | None:
    if text[at] not in "\"'":
        return None
    # A backslash does not keep a quotation mark from ending the string.
    end = text.find(text[at], at + 1)
    return None if end < 0 else end + 1


def _kind(word: str, state: _State) -> Kind:
    if word in _KINDS:
        return _KINDS[word]
    if word in ("pass", "password"):
        return Kind.STRING if word == "pass" and state is _State.AUTH else Kind.OPTION
    if word in _OPTIONS or word in _NAMES or word in _AUTHENTICATE or word in _WAYS:
        return Kind.OPTION
    digits = word.removeprefix("-")
    return Kind.NUMBER if digits.isascii() and digits.isdigit() else Kind.STRING


def _after(word: str, state: _State) -> _State:
    if state is _State.AUTH and word in ("pass", "password"):
        return _State.INITIAL if word == "password" else state
    if word in _NAMES:
        return _State.NAME
    if word in _AUTHENTICATE:
        return _State.AUTH
    return _State.INITIAL if word in _WAYS else state
