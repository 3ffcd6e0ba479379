"""A whole house to break things in: a provider, fetchmail, the door, deliver and the local Dovecot, all real."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rulesmith.delivery import queue
from tests.certificates import Authority
from tests.chain.bed import DOOR as PROGRAM
from tests.chain.bed import Bed, Done
from tests.chain.dovecot import Dovecot
from tests.faults.fetching import DOOR, Fetching
from tests.faults.ledger import Balance, balance

USER, ALIAS = "user@example.com", "alias@example.com"
FOLDERS = ("INBOX", "Received", "Problem", "Junk")
# The seed's rules; the deliver of the house can be broken, and so can the folders beside it.
RULES = """\
set maximum-size 200M
account "stdin" disabled stdin
action "alias" pipe "/config/deliver -d alias@example.com"
action "alias:Received" pipe "/config/deliver -d alias@example.com -m Received"
action "user" pipe "/config/deliver -d user@example.com"
action "user:Received" pipe "/config/deliver -d user@example.com -m Received"
match "^Delivered-To: alias@example.com" in headers action { "alias" "alias:Received" }
match all action { "user" "user:Received" }
"""
PYTHON = str(Path(PROGRAM).with_name("python"))
HOME = "/config/users/user@example.com"
QUEUE = f'set queue "{HOME}/queue"\n'
# It holds a lock while it runs, so that one can wait for those that outlive their door.
_DELIVER = """\
#!/bin/sh
exec 9<"$0"
flock -s 9
. /config/fault
exec /usr/libexec/dovecot/deliver "$@"
"""


def messages(count: int, size: int = 100) -> dict[bytes, tuple[str, ...]]:
    """Different messages and the mailboxes they are for; every third one is for the alias."""
    plans: dict[bytes, tuple[str, ...]] = {}
    for number in range(count):
        name = ALIAS if number % 3 == 2 else USER
        text = (
            f"Return-Path: <alice@example.org>\nDelivered-To: {name}\nFrom: Alice <alice@example.org>\nTo: {name}\n"
            f"Subject: number {number}\nDate: Mon, 2 Mar 2026 10:00:00 +0100\nMessage-ID: <{number}@example.org>\n\n"
            f"This is {number}.\n"
        )
        plans[(text + "x" * 63 + "\n" * (size > 100) + ("y" * 71 + "\n") * (size // 72)).encode() + b"\n"] = (
            f"{name}/INBOX",
            f"{name}/Received",
        )
    return plans


class House:
    """The programs, and what the tests ask of them."""

    def __init__(self, bed: Bed, authority: Authority) -> None:
        self.bed = bed
        self.ca = authority.path
        (bed.folder / "config" / "authority.pem").write_bytes(self.ca.read_bytes())
        pair = authority.issue("good")
        self.local = Dovecot(bed, "dovecot", pair, mail="vmail")
        self.provider = Dovecot(bed, "provider", pair, mail="provider")
        self.fetching = Fetching(self.bed, self.provider, self.ca)
        self._served = 0
        self.heal()

    def clear(self) -> None:
        """As on the first day: no mail, no fault, the rules of RULES."""
        for server in (self.local, self.provider):
            server.clear()
        self.clear_home("fdm.conf", ".cache")
        self.heal()
        self.configure(RULES)

    def clear_home(self, *but: str) -> None:
        """Empty the home of the user whose process we are, but for some; by default what fetchmail knows of POP3."""
        for entry in self.bed.home.iterdir():
            if entry.name in (but or ("fetchids",)):
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def configure(self, text: str, name: str = "fdm.conf") -> None:
        file = self.bed.home / name
        # The same text in the same file need not be compiled again.
        if not (file.is_file() and file.read_text() == text and file.stat().st_mode & 0o777 == 0o600):
            file.write_text(text)
            file.chmod(0o600)
        self.bed.own(self.bed.home)

    def break_deliver(self, fault: str) -> None:
        """From now on deliver begins with this piece of shell."""
        (self.config / "fault").write_text(fault + "\n")
        self.bed.own(self.config)

    def heal(self) -> None:
        """deliver is there and works."""
        program = self.config / "deliver"
        program.write_text(_DELIVER)
        program.chmod(0o755)
        self.break_deliver("")

    def idle(self) -> None:
        """Wait until no deliver is at work."""
        assert self.bed.run("flock", "-x", "/config/deliver", "true").status == 0

    def clock(self, days: int) -> str:
        """A command line for the door whose clock is wrong by so many days."""
        code = f"import time; now = time.time; time.time = lambda: now() + {days * 86400}; "
        return f"{PYTHON} -c '{code}import sys; from rulesmith.fdm import main; sys.exit(main())'"

    @property
    def config(self) -> Path:
        """The folder /config, from outside."""
        return self.bed.folder / "config"

    def send(self, messages: Iterable[bytes]) -> None:
        """The provider gets mail for the user; the alias is in Delivered-To."""
        folder = self.provider.mail / USER / "Maildir" / "new"
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages:
            self._served += 1
            (folder / f"{self._served:07}.a.provider").write_bytes(message)
        self.bed.own(self.provider.mail / USER)

    def hand(self, message: bytes, door: str = DOOR, env: Mapping[str, str] | None = None) -> Done:
        """Hand one message to the door as fetchmail does, by a shell."""
        return self.bed.run("sh", "-c", door, stdin=message, env=env)

    @property
    def rulesmith(self) -> str:
        return str(Path(PROGRAM).with_name("rulesmith"))

    def queue(self, *words: str) -> Done:
        """`rulesmith queue WORDS` on the queue of QUEUE."""
        return self.bed.run(self.rulesmith, "queue", *words, "--queue", f"{HOME}/queue")

    def queued(self, folder: Path | None = None) -> list[bytes]:
        """The messages in the queue."""
        where = bytes(folder or self.bed.home / "queue")
        try:
            return [queue.look(where, name).raw() for name in queue.names(where)]
        except FileNotFoundError:
            return []

    def mailboxes(self) -> dict[str, list[bytes]]:
        """Every local mailbox's messages, by `user/folder`."""
        return {
            f"{user}/{folder}": list(_stored(self.inside("home/vmail") / user / "Maildir", folder))
            for user in (USER, ALIAS)
            for folder in FOLDERS
        }

    def balance(self, plans: Mapping[bytes, tuple[str, ...]], kept: Iterable[bytes]) -> Balance:
        return balance(plans, kept, self.mailboxes())

    def inside(self, path: str) -> Path:
        """A path of the bed, given without its first slash, as it is to be had from outside."""
        return Path(f"/proc/{self.bed.process_id}/root") / path

    @property
    def small_quota(self) -> str:
        """Options for deliver with which no message fits into its mailbox."""
        if self.bed.run("dovecot", "--version").out.startswith(b"2.3."):
            options = "-o plugin/quota=maildir:User -o plugin/quota_rule=*:bytes=10"
        else:
            options = "-o quota/User/driver=count -o quota/User/storage_size=10"
        return f"-o mail_plugins=quota {options}"

    def fill(self, disk: str, free: int) -> None:
        """Leave so many octets free on a small disk, in whole pages."""
        there = f"$(stat -f -c '%a * %S' /small/{disk})"
        script = f"cd /small/{disk} && rm -f ballast && head -c $(({there} - {free})) /dev/zero >ballast"
        done = self.bed.run("sh", "-c", script)
        assert done.status == 0, done

    def empty(self, disk: str) -> None:
        """Make room on a small disk; what tests have put there goes too."""
        self.bed.run("sh", "-c", f"rm -rf /small/{disk}/*")


def _stored(maildir: Path, folder: str) -> Iterator[bytes]:
    top = maildir if folder == "INBOX" else maildir / f".{folder}"
    for part in ("new", "cur"):
        with contextlib.suppress(FileNotFoundError):
            # SECONDS.MMICROSECONDSPPROCESS.HOST, in the order of delivery.
            for path in sorted(
                (top / part).iterdir(), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)]
            ):
                yield path.read_bytes()


__all__ = ["ALIAS", "DOOR", "HOME", "QUEUE", "RULES", "USER", "House", "messages"]
