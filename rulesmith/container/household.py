"""One user's files, what they mean together, and his folder with what fetchmail and fdm read."""

from __future__ import annotations

import contextlib
import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulesmith.container import fdm_conf, fetchmailrc, passwd
from rulesmith.container.accounts import acting_as
from rulesmith.container.handover import scans_all
from rulesmith.container.held import Held
from rulesmith.container.services import write_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.container.fetchmailrc import Process, Split

    Splits = tuple[Split, Split]
    from rulesmith.container.places import Places


class Household:
    """A user. What the methods yield are sentences for the log."""

    def __init__(self, places: Places, user: str) -> None:
        self._places = places
        self._user = user
        self._password: Held[str] = Held(places, user, "passwd", passwd.password)
        self._fetching: Held[Splits] = Held(places, user, "fetchmailrc", self._splits)
        self._rules: Held[list[str]] = Held(
            places, user, "fdm.conf", partial(fdm_conf.check, places, user), partial(fdm_conf.prove, places, user)
        )

    def update(self, file: str, content: bytes | None) -> Iterator[str]:
        """A file has this content now, or is not there any more."""
        if file == "passwd":
            yield from self._password.offer(content)
            return
        if content is not None:
            make_home(self._places, self._user)
        if file == "fetchmailrc":
            yield from self._fetching.offer(content)
            self._put(file, self._fetching.content)
            split = self._split()
            if content is not None and content == self._fetching.content and split:
                yield from split.remarks
                yield from self._take_over(split.idfile)
        else:
            waited, split = self._rules.missing, self._split()
            yield from self._rules.offer(content)
            self._put(file, self._rules.content)
            if content is not None and content == self._rules.content and self._rules.meaning:
                yield from (line for line in self._rules.meaning if ": note[" not in line)
            now = self._split()
            if now and now is not split:
                yield from now.remarks
            if self._rules.missing and not waited:
                yield "no mail is fetched until there are rules that can be used"

    def _splits(self, content: bytes) -> Splits:
        """Without the scan inside, and with it."""
        plain = fetchmailrc.split(self._places, self._user, content)
        if self._places.handover is None or b"rspamc" not in content:
            return plain, plain
        return plain, fetchmailrc.split(self._places, self._user, content, scanned=True)

    def _split(self) -> Split | None:
        """What the fetchmailrc means beside the rules."""
        if self._fetching.meaning is None:
            return None
        plain, scanned = self._fetching.meaning
        return scanned if scanned is not plain and scans_all(self._places, self._rules.content or b"") else plain

    def _put(self, file: str, content: bytes | None) -> None:
        path = self._places.home(self._user) / file
        if content is not None:
            write_secret(path, content, self._places.mail)
        elif path.parent.is_dir():
            with acting_as(self._places.mail):
                path.unlink(missing_ok=True)

    def _take_over(self, named: str | None) -> Iterator[str]:
        """The UIDs that fetchmail has remembered in a file of the user's choice: it does not fetch those again."""
        ours = self._places.idfiles(self._user) / "fetchids"
        if named is None:
            return
        with acting_as(self._places.mail):
            if ours.exists():
                return
            try:
                known = Path(named).read_bytes()
            except FileNotFoundError:
                return
            except OSError as error:
                yield f"fetchmailrc: {named} cannot be taken over: {error.strerror}"
                return
        write_secret(ours, known, self._places.mail)
        yield f"fetchmailrc: {named} has been copied to {ours}, where fetchmail goes on with it"

    def mailbox(self) -> str | None:
        """The line of Dovecot's list, if there is one."""
        return None if self._password.meaning is None else passwd.line(self._user, self._password.meaning)

    def processes(self) -> list[Process]:
        """What is fetched. While the rules cannot be used, mail is better off where it is."""
        split = self._split()
        return [] if split is None or self._rules.missing else split.processes

    def rules_refused(self) -> bool:
        """Whether the fdm.conf there is now is not the one in use."""
        return bool(self._rules.refused)

    def at_home(self) -> bool:
        """Whether there is something to read in his folder."""
        return any(held.content is not None for held in (self._fetching, self._rules))

    def empty(self) -> bool:
        """Whether nothing is left of the user."""
        helds: list[Held[Any]] = [self._password, self._fetching, self._rules]
        return all(held.content is None and not held.refused for held in helds)

    def report(self) -> dict[str, Any]:
        """For `rulesmith health`."""
        refused: dict[str, Held[Any]] = {
            "passwd": self._password,
            "fetchmailrc": self._fetching,
            "fdm.conf": self._rules,
        }
        return {
            "mailbox": self._password.content is not None,
            "fetching": [process.does for process in self.processes()],
            "missing": [file for file, held in refused.items() if held.missing],
            "refused": {file: list(held.refused) for file, held in refused.items() if held.refused},
        }


def make_home(places: Places, user: str) -> None:
    """The folder of a user that belongs to the user of the mail, and the one for what fetchmail remembers."""
    home = places.home(user)
    if not home.is_dir():
        home.mkdir(mode=0o700)
        os.chown(home, *places.mail)
    with acting_as(places.mail):
        places.idfiles(user).mkdir(mode=0o700, parents=True, exist_ok=True)


def clear_home(places: Places, user: str) -> None:
    """The user is gone; what fetchmail remembers stays, because he may come back."""
    home = places.home(user)
    if not home.is_dir():
        return
    with acting_as(places.mail):
        for each in home.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()
    # A delivery that is still under way may put something there again; the folder may stay then.
    with contextlib.suppress(OSError):
        home.rmdir()
