"""Mail that flows: letters for two users, from an IMAP provider and from a POP3 one, through scan and rules into two
mailboxes each.
"""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path

from tests.container.pop3 import Mailbox
from tests.faults.ledger import Balance, balance, original
from tests.image.fetching import PASSWORD, rc
from tests.image.house import VMAIL, Container, until

IMAP, POP3, BOTH = "imap@x.org", "pop3@x.org", "both@x.org"
# Each user's own folder, and a folder of a third one's.
TARGETS = {user: (f"{user}/In", f"{BOTH}/{user.partition('@')[0]}") for user in (IMAP, POP3)}
RULES = """\
set scan "unix:/run/rspamd/normal.sock"
account "stdin" disabled stdin
action "in" pipe "/usr/libexec/dovecot/deliver -d {own[0]} -m {own[1]}"
action "copy" pipe "/usr/libexec/dovecot/deliver -d {copy[0]} -m {copy[1]}"
match all action {{ "in" "copy" }}
"""
DOOR = "/usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"
_NUMBERS = count(1)


class Load:
    """The letters of one test."""

    def __init__(self, house: Container, provider: Container, maildrop: Mailbox) -> None:
        self._house = house
        self._provider = provider
        self._maildrop = maildrop
        self._plans: dict[bytes, tuple[str, ...]] = {}
        self._first = len(maildrop.times)
        self._seen: dict[str, bytes] = {}

    def post(self, number: int) -> None:
        """So many letters more for each user."""
        for _ in range(number):
            for user in (IMAP, POP3):
                letter = _letter(user, next(_NUMBERS))
                self._plans[letter] = TARGETS[user]
                if user == POP3:
                    self._maildrop.add(letter.replace(b"\n", b"\r\n"))
                else:
                    _put(self._provider.mail / user / "Maildir", f"{next(_NUMBERS)}.load", letter)

    def flows(self) -> None:
        """Until a letter of each user is delivered."""
        for user in TARGETS:
            until(lambda user=user: self.here(TARGETS[user][0]), f"a letter of {user}\n{self._state()}")  # type: ignore[misc]

    def here(self, target: str) -> set[bytes]:
        """The different letters in a mailbox, seen from outside: Dovecot may be dead at the moment."""
        user, _, folder = target.partition("/")
        box = self._house.mail / user / "Maildir" / f".{folder}"
        names = [path for part in ("new", "cur") for path in (box / part).glob("*")]
        for path in names:
            if path.name not in self._seen:
                self._seen[path.name] = original(_without_envelope(path.read_bytes().replace(b"\r\n", b"\n")))
        return {self._seen[path.name] for path in names}

    def arrives(self) -> None:
        """Until every letter is where it has to be, nothing waits and nobody is going to bring one again."""
        try:
            for target in (target for each in TARGETS.values() for target in each):
                wanted = {letter for letter, plan in self._plans.items() if target in plan}
                until(lambda target=target, wanted=wanted: wanted <= self.here(target), f"all in {target}")  # type: ignore[misc]
            until(lambda: self.queued() == 0, "an empty queue")
            until(lambda: self._unseen() == 0, "all is read at the provider")
            before = self._maildrop.sessions
            # The first may have begun with letters to fetch.
            until(lambda: self._maildrop.sessions >= before + 2, "two sessions of POP3")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._state()}") from None

    def balance(self) -> Balance:
        """What a reader finds, over IMAPS."""
        found = {}
        for target in (target for each in TARGETS.values() for target in each):
            user, _, folder = target.partition("/")
            found[target] = [_without_envelope(each) for each in self._house.mailbox(user, PASSWORD, folder)]
        return balance(self._plans, (), found)

    def is_exact(self) -> None:
        """Each letter is once in each of its mailboxes, and was handed out once."""
        self.arrives()
        found = self.balance()
        assert (found.wrong, found.done) == ([], len(self._plans)), (found.wrong, self._state())
        assert set(self._maildrop.times[self._first :]) == {1}

    def is_complete(self, repeated: int) -> None:
        """Each letter is in each of its mailboxes; those that came by IMAP are there so often once more at most, those
        that came by POP3 at most as often as they were handed out, which nobody may remember who is killed.
        """
        self.arrives()
        found = self.balance()
        assert (found.lost, found.altered, found.astray) == ([], [], []), (found.wrong, self._state())
        assert found.done == len(self._plans)
        again = sum(times - 1 for times in self._maildrop.times[self._first :])
        for user, allowed in ((IMAP, repeated), (POP3, again + repeated)):
            for target in TARGETS[user]:
                twice = [each for each in found.duplicated if f" in {target}: " in each]
                assert len(twice) <= allowed, twice

    def queued(self) -> int:
        """How many messages wait."""
        return len(list(self._house.mail.glob(".rulesmith/queue/*.mail")))

    def _unseen(self) -> int:
        client = self._provider.login(IMAP, PASSWORD)
        try:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "UNSEEN")[1][0].split())
        finally:
            client.logout()

    def _state(self) -> str:
        list_ = self._house.exec("rulesmith", "queue", "list").text
        return "\n".join([list_, *self._house.logs().splitlines()[-60:]])


def forget(house: Container) -> None:
    """Empty all mailboxes."""
    for user in (IMAP, POP3, BOTH):
        done = house.exec("doveadm", "expunge", "-u", user, "mailbox", "*", "all", user="vmail")
        assert done.status == 0, done


def installation(house: Container, provider: Container, maildrop: Mailbox, host: str) -> None:
    """Everybody's files."""
    mail = {
        IMAP: rc(provider, IMAP, DOOR),
        POP3: f"poll {host} proto pop3 port {maildrop.port} uidl user a pass b keep sslproto '' mda \"{DOOR}\"\n",
    }
    for user, text in mail.items():
        own, copy = (target.split("/") for target in TARGETS[user])
        house.user(user, passwd="{PLAIN}" + PASSWORD, rc=text, conf=RULES.format(own=own, copy=copy))
    house.user(BOTH, passwd="{PLAIN}" + PASSWORD)


def _without_envelope(found: bytes) -> bytes:
    """Without what LMTP puts on top, twice: the letters have nothing of it."""
    head, blank, body = found.partition(b"\n\n")
    return re.sub(rb"^(?:Return-Path|Delivered-To): .*\n", b"", head, flags=re.MULTILINE) + blank + body


def _letter(user: str, number: int) -> bytes:
    # Lines of different lengths, so that a half is no whole one.
    body = b"".join(b"%d %s\n" % (number, b"x" * (7 * line % 60)) for line in range(number % 40))
    head = f"From: Bob <bob@example.org>\nTo: {user}\nSubject: letter {number}\nMessage-ID: <{number}@example.org>\n"
    return head.encode() + b"\n" + body + b"end\n"


def _put(maildir: Path, name: str, letter: bytes) -> None:
    """As another server would store it."""
    fresh = maildir / "tmp" / name
    fresh.write_bytes(letter)
    os.chown(fresh, VMAIL, VMAIL)
    fresh.rename(maildir / "new" / name)
