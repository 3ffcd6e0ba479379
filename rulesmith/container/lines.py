"""A service's line as it goes into the log: without its own time, without secrets, on one line of visible signs.

What only repeats that all is well is left out: each mail has its one line, and what daemons and `fdm -v` say beside
it is there with RULESMITH_LOG_DETAILS.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rulesmith.container.fetching import cut_run_on
from rulesmith.mail.words import printable
from rulesmith.summary import sentence, without_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.container.fetching import Fetching

# How each daemon begins its lines: the time, which every line of ours has already, and what else says nothing.
_TIMES = {
    "dovecot": re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "),
    "rspamd": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? #\d+\((?=\w)"),
    "redis": re.compile(r"\d+:[A-Z] \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(\.\d+)? [.\-*#] "),
}
# rspamd: `#12(normal) <digest>; task; function: text`; the worker's name is kept.
_RSPAMD = re.compile(r"(\w+)\) (?:<[^>]*>; )?")
# deliver, called by fetchmail or by a rule, writes as Dovecot does.
_AGENT = re.compile(r"(.*: )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?=lda\()")

_ROUTINE = {
    # What answers the questions of `rulesmith health` and of s6.
    "dovecot": re.compile(
        r"imap-login: Info: .*\(no auth attempts .* rip=127\.0\.0\.1, |auth\(#nobody[,)]"
        r"|lmtp\(\d+\): Info: (Connect|Disconnect) from local|lmtp\(.*: saved mail to "
    ),
    # One line for each message that it looks at, hundreds of octets long.
    "rspamd": re.compile(r".*rspamd_task_write_log: |.*rspamd_protocol_http_reply: "),
    "fetch": re.compile(
        # What `fdm -v` and its summary say of a message that has its line, and what deliver says to fdm.
        r"\S+: (got message \d+: |message \d+ delivered \(|deleting message \d|keeping message \d"
        r"|\d+ messages processed |fetching error\. |the message stays (in the queue|with the caller)"
        r"|.*: command returned \d+$|.*\blda\(.*: (saved|stored) mail (in)?to )|version is: fdm "
    ),
}
_ROUTINE["queue"] = _ROUTINE["serve"] = _ROUTINE["fetch"]

_SECRETS = [
    (re.compile(pattern, re.IGNORECASE), shown)
    for pattern, shown in (
        (r"(://[^\s/:@]*):[^\s/@]+@", r"\1:…@"),
        (r"(\b(?:password|passwd|passphrase|secret)['\"]?\s*=\s*|given password: )(\"[^\"]*\"|'[^']*'|\S+)", r"\1…"),
        # fetchmail's protocol: the login in its forms, and every answer to a challenge.
        (r"((?:IMAP|POP3|SMTP|LMTP)> (?:A\d+ )?(?:LOGIN|PASS|APOP|AUTHENTICATE|AUTH)) .*", r"\1 …"),
        (r"((?:IMAP|POP3|SMTP|LMTP)> )[A-Za-z0-9+/]{12,}=*$", r"\1…"),
        (r"((?:IMAP|POP3|SMTP|LMTP)< \+ ).*", r"\1…"),
        (r"(syntax error at ).*", r"\1…"),
    )
]


@dataclass
class Line:
    """One line of the log; `mail` is the summary that it shows."""

    service: str
    user: str
    text: str
    mail: dict[str, Any] | None = None


def unescape(name: str) -> str:
    """The user of an escaped name (services.escape)."""
    return (
        re.sub(r"=([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), name).encode("latin-1").decode(errors="replace")
    )


def whose(pipe: str) -> tuple[str, str, str]:
    """The service, the user and the number that the name of a pipe stands for."""
    service, _, rest = pipe.partition(":")
    user, _, number = rest.rpartition(":")
    return service, unescape(user), number


@dataclass(frozen=True)
class Reading:
    """How lines are to be read: without addresses; with what is left out otherwise."""

    private: bool = False
    details: bool = False

    def lines(self, pipe: str, octets: bytes, fetching: Fetching | None, now: float) -> Iterator[Line]:
        """What a line from a pipe becomes: nothing, or lines of the log. `fetching` learns from it."""
        service, user, number = whose(pipe)
        shown = service if number in ("", "0") else f"{service}.{number}"
        whole = printable(octets.decode("utf-8", "backslashreplace"))
        for text in cut_run_on(whole) if fetching else [whole]:
            mail = _mail(text)
            if mail is not None:
                # In his own pipe nobody speaks for another.
                yield Line(shown, user or mail["user"], self._shown(sentence(mail)), mail)
                continue
            told = [text] if fetching is None else fetching.feed(text, now)
            if self.details and fetching is not None:
                told = [text, *(each for each in told if each != text)]
            for each in told:
                plain = _without_time(service, each)
                routine = _ROUTINE.get(service)
                if plain and (self.details or routine is None or not routine.match(plain)):
                    yield Line(shown, user, self._shown(plain, service == "keeper"))

    def _shown(self, text: str, names_users: bool = False) -> str:
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        if not self.private:
            return text
        # The keeper begins with whose files it speaks of.
        name, colon, rest = text.partition(": ") if names_users else ("", "", text)
        return name + colon + without_addresses(rest)


def _without_time(service: str, text: str) -> str:
    text = text.rstrip()
    time = _TIMES.get(service)
    if time is None:
        return _AGENT.sub(r"\1", text, count=1)
    found = time.match(text)
    if not found:
        return text
    text = text[found.end() :]
    return _RSPAMD.sub(r"\1: ", text, count=1) if service == "rspamd" else text


def _mail(text: str) -> dict[str, Any] | None:
    """The summary of a mail, where the line is one."""
    if not text.startswith('{"mail":1,'):
        return None
    try:
        mail = json.loads(text)
        sentence(mail)
        return mail if isinstance(mail["user"], str) and isinstance(mail["outcome"], str) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        # A program that writes something alike: a line like any other.
        return None
