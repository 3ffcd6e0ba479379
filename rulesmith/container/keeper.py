"""The keeper: makes of /config/users what runs, at the start and whenever something changes there.

It runs as root, with few rights. What is a user's, fetchmailrc and fdm.conf, is read, checked and run only as the user
of the mail.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rulesmith.container import certificate, daemons, delivery, last_good, passwd, users
from rulesmith.container.accounts import acting_as
from rulesmith.container.fetchers import Fetchers
from rulesmith.container.household import Household, clear_home
from rulesmith.container.places import Places
from rulesmith.container.s6 import S6

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.container.users import Seen, Signature

    File = tuple[str, str]

SECOND = 1.0


class Keeper:
    """`ready` says what mail that is fetched now would lack; `say` gets a user, or nobody, and a sentence."""

    def __init__(self, places: Places, s6: S6, ready: Callable[[], str], say: Callable[[str, str], None]) -> None:
        self._places = places
        self._say = say
        self._fetchers = Fetchers(places, s6, ready, say)
        self._households: dict[str, Household] = {}
        # What was found at the last look, and what has been acted upon.
        self._before: dict[File, Signature] | None = None
        self._done: dict[File, Signature] = {}
        self._unusable: dict[str, str] = {}
        self._blind = ""
        self._reported = ""

    def look(self) -> None:
        """One pass: act upon what has changed and does not change any more."""
        seen = self._see()
        if seen is not None:
            self._act(seen)
        self._fetchers.look({user: household.processes() for user, household in self._households.items()})
        self._clear()
        self._report()

    def _see(self) -> Seen | None:
        folder = self._places.users
        seen: Seen | None = None
        why = ""
        try:
            seen = users.look(folder)
        except FileNotFoundError:
            # No users at all; but where even the folder above is gone, something else has happened.
            seen = users.Seen() if folder.parent.is_dir() else None
            why = "there is no such folder"
        except OSError as error:
            why = error.strerror or str(error)
        blind = "" if seen is not None else f"{folder} cannot be read, so everything stays as it is: {why}"
        if blind and blind != self._blind:
            self._say("", blind)
        self._blind = blind
        return seen

    def _act(self, seen: Seen) -> None:
        now = {(user, file): signature for user, files in seen.users.items() for file, signature in files.items()}
        for name, reason in seen.refused.items():
            if self._unusable.get(name) != reason:
                self._say(name.partition("/")[0], reason)
        self._unusable = seen.refused
        before, self._before = self._before, now
        if before is None:
            self._forget_what_went(now)
        changed = [
            (user, file)
            for user, file in sorted(now.keys() | self._done.keys())
            if now.get((user, file)) != self._done.get((user, file))
            and (before is None or before.get((user, file)) == now.get((user, file)))
            and f"{user}/{file}" not in seen.refused
        ]
        # Mailboxes are there at once; the other files take a check each.
        for user, file in changed:
            if file == "passwd":
                self._update(user, file, now.get((user, file)))
        lines = (household.mailbox() for household in self._households.values())
        passwd.write(self._places, [line for line in lines if line])
        for user, file in changed:
            if file == users.TESTS:
                self._test_again(user, now, (user, "fdm.conf") in changed)
            elif file != "passwd":
                self._update(user, file, now.get((user, file)))
        self._households = {user: each for user, each in self._households.items() if not each.empty()}

    def _forget_what_went(self, now: dict[File, Signature]) -> None:
        """Files that were taken away while nobody looked."""
        for user in last_good.users(self._places):
            for file in users.FILES:
                if (user, file) not in now and f"{user}/{file}" not in self._unusable:
                    last_good.forget(self._places, user, file)

    def _update(self, user: str, file: str, found: Signature | None) -> None:
        path = self._places.users / user / file
        try:
            content = users.content(path) if found else None
            if found and users.signature(path) != found:
                # It is being written: the next looks will see.
                return
            household = self._households.setdefault(user, Household(self._places, user))
            for sentence in household.update(file, content):
                self._say(user, sentence)
        except OSError as error:
            # Of this user, and for now; the others are not to suffer from it.
            self._say(user, f"{file}: {error}")
            return
        if found:
            self._done[user, file] = found
        else:
            self._done.pop((user, file), None)

    def _test_again(self, user: str, now: dict[File, Signature], done: bool) -> None:
        """Tests have changed: the rules that they refused may pass them; those in use stay, whatever they say."""
        rules = now.get((user, "fdm.conf"))
        household = self._households.get(user)
        if rules and not done and household and household.rules_refused():
            self._update(user, "fdm.conf", rules)
        if (user, users.TESTS) in now:
            self._done[user, users.TESTS] = now[user, users.TESTS]
        else:
            self._done.pop((user, users.TESTS), None)

    def _clear(self) -> None:
        """The folders of users who need none any more, once nothing of theirs runs."""
        if self._before is None or not self._places.homes.is_dir():
            return
        for home in self._places.homes.iterdir():
            user = home.name
            household = self._households.get(user)
            if not (household and household.at_home()) and not self._fetchers.has(user):
                clear_home(self._places, user)

    def _report(self) -> None:
        """What health wants to know, for whoever may read it."""
        report = {
            "users": {user: household.report() for user, household in sorted(self._households.items())},
            "unusable": self._unusable,
            "blind": self._blind,
        }
        text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
        if text != self._reported:
            fresh = self._places.report.with_suffix(".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(0o644)
            fresh.rename(self._places.report)
            self._reported = text


def say(user: str, sentence: str) -> None:
    """One line of the log."""
    sys.stderr.write(f"{user}: {sentence}\n" if user else f"{sentence}\n")
    sys.stderr.flush()


def main() -> None:
    """Run for ever."""
    places = Places.of_image()
    by_lmtp = delivery.by_lmtp(os.environ)
    s6 = S6(places.scan)
    pair = certificate.Certificate(
        Path("/config/etc/ssl/dovecot"), places.state / "tls", Path("/etc/ssl/dovecot"), places.mail, partial(say, "")
    )

    def ready() -> str:
        # The sockets are open to the user of the mail, and root has no rights beyond its own files.
        with acting_as(places.mail):
            return daemons.ready(daemons.Doors(), by_lmtp)

    keeper = Keeper(places, s6, ready, say)
    places.services.mkdir(mode=0o700, exist_ok=True)
    while True:
        keeper.look()
        if pair.changed():
            reload_dovecot()
        time.sleep(SECOND)


def reload_dovecot() -> None:
    """Let Dovecot read its certificate again; one that is only about to start reads it anyway."""
    done = subprocess.run(["doveadm", "reload"], capture_output=True, text=True, check=False, timeout=30)
    say("", f"the certificate has changed; {done.stderr.strip() or 'Dovecot uses the new one'}")


if __name__ == "__main__":
    main()
