"""What one fetchmail process is doing, read from the lines of `fetchmail --verbose`.

Without --verbose a poll that finds no mail says nothing, and a connection that idles says nothing for hours. So
fetchmail tells everything, and what is shown is little: troubles in words, and that it works again. The protocol's
own lines are never shown: an answer to a challenge is in them, in a form that anybody can decode.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

# The kinds of trouble, in the order of a report.
KINDS = ("login", "tls", "network", "server", "delivery", "refused", "configuration")
# Messages that fetchmail refuses and that are remembered, and characters of a line that is shown.
_REMEMBERED, _LONG = 5, 120
# Warnings that a process repeats at each poll and that are shown once.
_WARNINGS = 20
# Which trouble of a poll is its reason: what came further in it.
_WEIGHT = {"network": 0, "tls": 1, "server": 2, "login": 3}

# Query status=N of a poll that went well: 1 no mail, 13 as many as were allowed.
_WELL = ("0", "1", "13")
# Where nothing else was said (fetchmail(1), EXIT CODES): kind and words.
_STATUS = {
    "2": ("network", "the connection failed"),
    "3": ("login", "the login was refused"),
    "4": ("server", "the server does not speak the protocol"),
    "5": ("configuration", "fetchmail does not understand its settings"),
    "6": ("configuration", "a file of fetchmail's cannot be read or written"),
    "7": ("server", "the server's answer was not understood"),
    "9": ("configuration", "another fetchmail holds the lock"),
    "10": ("delivery", "the local mail server does not answer"),
    "11": ("network", "the server's name is not known"),
    "14": ("server", "the server is busy"),
}

# Lines of fetchmail's that say nothing beside the others; what is not known is shown.
_NOISE = re.compile(
    r"Loaded OpenSSL |Server certificate:|Certificate |Unknown Org|Issuer |Subject |.* key fingerprint: |SSL/TLS: "
    r"|SSL verify "
    r"|will idle after poll|sleeping at |awakened |terminated with signal (2|15)$|normal termination|No mail for "
    r"|skipping message |Connection errors for this poll:|Query status=|For help, see |This could mean that "
    r"|OpenSSL reported: |Broken certification chain at: |socket error while fetching |Unknown command"
    r"|SMTP transaction error while |client/server (protocol|synchronization) error while |line: "
    r"|about to deliver with: "
    r"|(Old|New|Merged|Scratch) UID list"
    r"|new UIDL list|swapping UID|not swapping UID|(Writing|Deleting) fetchids|saved UID|UID "
    r"|removing stale lockfile|background|[A-Z0-9]+[<>](?: |\. \(EOM\))|Using service name "
)
# ... and those that come without its name.
_BARE_NOISE = re.compile(
    r"Trying to connect to |name \d+: connection to |(IMAP|POP3) connection to \S+ failed| ?(not )?flushed$"
    r"| ?\(\d+ [a-z ]*octets\)|skipping message | ?<empty>$|[ #*.]+$"
)
_PREFIX = "fetchmail: "
# What fetchmail writes without an end of line, so that the next line of anybody stands behind it.
_RUN_ON = re.compile(
    r"(reading message \S.*?:\d+ of \d+ \(\d+ (?:header )?octets\)(?: \(\d+ body octets\))?| ?\(\d+ body octets\)"
    r"| ?(?:not )?flushed|(?= [#*.]))([ #*.]*)(?!(?:not )?flushed)(.+)"
)
_POLL = re.compile(r"\S+ querying (\S+) \(protocol \S+\) at .*: poll (started|completed)")
_REFUSAL = re.compile(r"(?:\S+ (?:NO|BAD)|-ERR) (?:\[[^]]*\] )?(.*?)(?: \([0-9. +]+ secs\))?\.?$")
_WARNING = re.compile(r"(?i:warning\b)|Missing trust anchor")
_SLEEP = re.compile(r"sleeping at .* for (\d+) seconds$")
_GIVEN_UP = re.compile(r"poll of (\S+) skipped \(failed authentication or too many timeouts\)$")
_SYNTAX = re.compile(r"fetchmail:\S+:\d+: ")
_COUNT = re.compile(r"(\d+) messages?(?: \((\d+) seen\))?(?: in folder \S+)? for (.+?)(?: \([\d.]+ octets\))?\.?$")
_READING = re.compile(r"reading message (.+):(\d+) of (\d+)")


def cut_run_on(line: str) -> list[str]:
    """A line of fetchmail's pipe as the lines that it should have been."""
    lines = []
    while found := _RUN_ON.match(line):
        lines += [found[1]] * bool(found[1])
        line = found[3]
    return [*lines, line]


@dataclass
class Polled:
    """One `poll` of a fetchmailrc: what became of it `since` it was first seen. Times are Unix times, 0 for never."""

    server: str = ""
    since: float = 0.0
    success: float = 0.0
    idle: bool = False
    failing: int = 0
    error: str = ""
    kind: str = ""
    at: float = 0.0


@dataclass
class _Under:
    """What is known of the poll under way."""

    message: str = ""
    refusing: str = ""
    trouble: tuple[str, str] | None = None
    asked_to_idle: bool = False
    completed: bool = False
    stumbled: bool = False


class Fetching:
    """The state of one process, which `feed` keeps.

    `since` is when it was first seen; `polled` has what its fetchmailrc polls, in that order, as far as it has come;
    `troubles` counts failures by kind; `refused` are the last messages that fetchmail itself does not take.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self.interval = 0  # seconds between two rounds of polls, once it has said so
        self.polls = 0
        self.polled: dict[str, Polled] = {}
        self.troubles: dict[str, int] = {}
        self.refused: list[dict[str, Any]] = []
        self._now_polled = Polled("", since)
        self._before: dict[str, Polled] = {}  # what the process before this one polled
        self._warned: set[str] = set()
        self._under = _Under()
        self._round: dict[str, int] = {}  # how often a server came in this round of polls

    def feed(self, line: str, now: float) -> list[str]:
        """What a line means to people: nothing, mostly."""
        if line.startswith(_PREFIX) or _SYNTAX.match(line):
            line = line.removeprefix(_PREFIX).strip()
            return self._settle(line, now) + self._understand(line, now)
        return self._bare(line)

    def as_json(self) -> dict[str, Any]:
        """For the state's file."""
        return {
            "since": self.since,
            "interval": self.interval,
            "polls": self.polls,
            "polled": {key: asdict(each) for key, each in self.polled.items()},
            "troubles": self.troubles,
            "refused": self.refused,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Fetching:
        """What an earlier reader of these lines had come to. Raises KeyError, TypeError."""
        self = cls(stored["since"])
        self.interval = stored["interval"]
        self.polls, self.troubles, self.refused = stored["polls"], stored["troubles"], stored["refused"]
        self.polled = {key: Polled(**each) for key, each in stored["polled"].items()}
        # The process goes on where it was: idle, or in the middle of its only poll.
        self._now_polled = next(reversed(self.polled.values()), self._now_polled)
        return self

    def _bare(self, line: str) -> list[str]:
        """A line without fetchmail's name: its counts, or what the mda wrote."""
        counted = _COUNT.match(line)
        if counted:
            fresh = int(counted[1]) - int(counted[2] or 0)
            return [f"{fresh} new message{'s' * (fresh != 1)} at {self._now_polled.server}"] if fresh else []
        reading = _READING.match(line)
        if reading:
            self._under.message = f"{reading[2]} of {reading[3]}"
            return []
        return [] if not line.strip() or _BARE_NOISE.match(line) else [line]

    def _understand(self, line: str, now: float) -> list[str]:
        under = self._under
        found = _POLL.match(line)
        if found:
            if found[2] == "started":
                self._begin(found[1], now)
            else:
                under.completed = True
                self._now_polled.idle = False
            return []
        if line.startswith(("starting fetchmail ", "sleeping at ", "awakened ")):
            self._round.clear()
            sleeping = _SLEEP.match(line)
            if sleeping:
                self.interval = int(sleeping[1])
            if line.startswith("starting "):
                self._warned.clear()
                self._before, self.polled = {**self._before, **self.polled}, {}
            return []
        if line.startswith(("IMAP", "POP3")):
            return self._protocol(line, now)
        given_up = _GIVEN_UP.match(line)
        if given_up:
            return self._give_up(given_up[1], now)
        return self._trouble(line, now)

    def _begin(self, server: str, now: float) -> None:
        """A poll begins. A server that is polled for several people comes several times in a round."""
        times = self._round[server] = self._round.get(server, 0) + 1
        key = server if times == 1 else f"{server} {times}"
        if key not in self.polled:
            self.polled[key] = self._before.pop(key, Polled(server, now))
        self._now_polled = self.polled[key]
        self._under = _Under()
        self.polls += 1

    def _protocol(self, line: str, now: float) -> list[str]:
        """A line of the protocol: of interest is whether the other side lives, and what it says when it refuses."""
        under = self._under
        said, text = line[4:6], line[6:]
        if said == "> ":
            # An IDLE that is renewed is answered like the first.
            under.asked_to_idle = text.endswith(" IDLE")
        elif said == "< ":
            if under.asked_to_idle and text.startswith("+"):
                under.asked_to_idle = False
                self._now_polled.idle = True
                return self._succeed(now)
            if self._now_polled.idle and text.startswith("* "):
                self._now_polled.success = now
            refusal = _REFUSAL.match(text)
            if refusal:
                under.refusing = refusal[1].removesuffix(".")
        return []

    def _trouble(self, line: str, now: float) -> list[str]:
        under = self._under
        found = _trouble_of(line, self._now_polled.server, under.refusing)
        if found and found[0] in ("delivery", "configuration"):
            return self._fail(*found, now)
        if found:
            # The end of the poll will tell whether it mattered: of several addresses one may have answered.
            if not under.trouble or _WEIGHT[found[0]] > _WEIGHT[under.trouble[0]]:
                under.trouble = found
            return []
        if _WARNING.match(line):
            # `no sslcertck`: what was wrong with the certificate did not matter.
            if under.trouble and under.trouble[0] == "tls":
                under.trouble = None
            if line in self._warned or len(self._warned) >= _WARNINGS:
                return []
            self._warned.add(line)
            return [line]
        if line.startswith("incorrect header line found"):
            under.stumbled = True
            return self._refuse(now)
        if line.startswith("line: ") and under.stumbled:
            under.stumbled = False
            self.refused[-1]["line"] = line[6 : 6 + _LONG]
            return []
        return [] if not line or _NOISE.match(line) else [line]

    def _settle(self, line: str, now: float) -> list[str]:
        """After a poll the next line tells how it went: with a status if it failed."""
        under = self._under
        status = re.match(r"Query status=(\d+)", line)
        if status and status[1] not in _WELL:
            under.completed = False
            server = self._now_polled.server
            kind, words = _STATUS.get(status[1], ("server", f"it failed (status {status[1]})"))
            return self._fail(*(under.trouble or (kind, f"{server}: {words}")), now, poll=True)
        if under.completed:
            under.completed = False
            return self._succeed(now)
        return []

    def _succeed(self, now: float) -> list[str]:
        polled = self._now_polled
        first, failing = not polled.success, polled.failing
        polled.success, polled.failing = now, 0
        if failing:
            return [f"fetching from {polled.server} works again, after {failing} failure{'s' * (failing != 1)}"]
        return [f"fetching from {polled.server} works"] if first else []

    def _fail(self, kind: str, words: str, now: float, poll: bool = False) -> list[str]:
        """`poll`: nothing was fetched."""
        polled = self._now_polled
        polled.error, polled.kind, polled.at = words, kind, now
        polled.failing += poll
        self.troubles[kind] = self.troubles.get(kind, 0) + 1
        if kind == "configuration":
            # It has not come to a poll.
            self.polled.setdefault("", polled)
        return [words]

    def _give_up(self, server: str, now: float) -> list[str]:
        """It does not ask this server again before its own end, which comes when it has given up all; told once."""
        polled = self.polled.setdefault(server, Polled(server, now))
        words = (
            f"fetchmail asks {server} no more, after too many refused logins or answers that did not come, "
            "until it is started again: `s6-svc -r /run/s6/fetch:…`, or a change of fetchmailrc"
        )
        told = polled.error == words
        polled.error, polled.kind, polled.at, polled.idle = words, "server", now, False
        polled.failing += 1
        self.troubles["server"] = self.troubles.get("server", 0) + 1
        return [] if told else [words]

    def _refuse(self, now: float) -> list[str]:
        server, which = self._now_polled.server, self._under.message or "a message"
        known = [each for each in self.refused if (each["server"], each["message"]) != (server, which)]
        self.refused = [*known, {"at": now, "server": server, "message": which, "line": ""}][-_REMEMBERED:]
        return self._fail(
            "refused",
            f"{server}: fetchmail refuses message {which}, a line of its header is malformed; "
            f"to fetch such messages write `bad-header accept` behind `poll {server}` in fetchmailrc",
            now,
        )


def _trouble_of(line: str, server: str, refusing: str) -> tuple[str, str] | None:
    """The kind of trouble that a line tells of, and words for it."""
    for pattern, kind, words in _TROUBLES:
        found = pattern.match(line)
        if found:
            return kind, words.format(*found.groups(), server=server, said=f" ({refusing})" if refusing else "")
    return None


# Line, kind, words; {server} is the one that is polled, {said} what it has answered.
_TROUBLES = [
    (re.compile(pattern), kind, words)
    for pattern, kind, words in (
        (r"Authorization failure on ", "login", "{server} refuses the login{said}: check user and password"),
        (
            r"Server certificate verification error: (.*)",
            "tls",
            "the certificate of {server} is not trusted: {0} (sslcertfile in fetchmailrc names one to trust)",
        ),
        (r"Server CommonName mismatch: (.*)", "tls", "the certificate of {server} is for another name: {0}"),
        (r"(\S+): SSL connection failed\.", "tls", "no TLS connection to {server}"),
        (r"(\S+): upgrade to TLS failed\.", "tls", "{server} does not offer STARTTLS as it must"),
        (r"connection to (\S+) \[.*\] failed: (.*?)\.?$", "network", "no connection to {0}: {1}"),
        (r"name \d+: connection to (\S+) \[.*\] failed: (.*?)\.?$", "network", "no connection to {0}: {1}"),
        (r"getaddrinfo\(\"?([^\",]*).*\) error: (.*)", "network", "the name {0} is not found: {1}"),
        (r"couldn't find canonical DNS name of (\S+) \(.*\): (.*)", "network", "the name {0} is not found: {1}"),
        (r"timeout after (\d+) seconds", "network", "{server} said nothing for {0} seconds"),
        (r"mailbox selection failed", "server", "{server} does not open the folder{said}"),
        (r"(?:Lock-busy|Server is busy) error on (\S+)", "server", "{server} is busy"),
        (
            r"MDA returned nonzero status (\d+)",
            "delivery",
            "the mda of fetchmailrc failed with status {0}: the message stays on {server} and is fetched again",
        ),
        (
            r"MDA died of signal (\d+)",
            "delivery",
            "the mda of fetchmailrc was killed by signal {0}: the message stays on {server} and is fetched again",
        ),
        (
            r"(?:Error writing to MDA|MDA open failed): ?(.*)",
            "delivery",
            "the mda of fetchmailrc does not take the message ({0}): it stays on {server} and is fetched again",
        ),
        (
            r"LMTP error: (.*)",
            "delivery",
            "rulesmith does not take a message now ({0}): it stays on {server} and is fetched again",
        ),
        (
            r"LMTP connect to \S+ failed",
            "delivery",
            "the service `serve` does not answer: messages stay on {server} and are fetched again",
        ),
        (r"Error: (idle mode does not work for .*)", "configuration", "fetchmailrc: {0}"),
        # The word that it stops at may be a piece of the password.
        (r"\S*:(\d+): syntax error at ", "configuration", "fetchmailrc, line {0}: a syntax error"),
        (r"terminated with signal (?!2$|15$)(\d+)", "server", "fetchmail was ended by signal {0}"),
    )
]
