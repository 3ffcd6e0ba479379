"""Where everything lies in the container, and who reads it; tests have places of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from rulesmith.container import delivery
from rulesmith.container.accounts import Account, account


def _me() -> Account:
    return Account(os.geteuid(), os.getegid())


@dataclass(frozen=True)
class Places:
    """Paths, programs and people."""

    users: Path = Path("/config/users")
    homes: Path = Path("/run/fetchmail")
    state: Path = Path("/home/vmail/.rulesmith")
    passwd: Path = Path("/run/mail/passwd")
    # What s6 watches, and where the folders of fetchmail's services really lie.
    scan: Path = Path("/run/s6")
    services: Path = Path("/run/s6-fetch")
    logs: Path = Path("/run/log")
    report: Path = Path("/run/keeper.json")
    # Who fetches and sorts mail, and as whom nothing else runs.
    mail: Account = field(default_factory=_me)
    # To whom the passwords of mailboxes belong: Dovecot's group reads them.
    readers: Account = field(default_factory=_me)
    mail_name: str = "vmail"
    become_mail: tuple[str, ...] = ("s6-setuidgid", "vmail")
    fetchmail: tuple[str, ...] = ("fetchmail",)
    rulesmith: tuple[str, ...] = ("rulesmith",)
    # Waits before a start that follows another one too soon.
    pause: tuple[str, ...] = ("/usr/lib/rulesmith/bin/pause",)
    # Where fetchmail hands messages over, None for the program that its `mda` names; the recipients there are;
    # and the settings for all users.
    handover: Path | None = None
    recipients: Path = Path("/run/recipients")
    site: Path = Path("/etc/rulesmith.conf")
    # Seconds between two polls where the fetchmailrc names none.
    interval: int = 600

    @classmethod
    def of_image(cls) -> Places:
        """Those of the container."""
        interval = os.environ.get("RULESMITH_FETCH_INTERVAL", "")
        return cls(
            mail=account("vmail"),
            readers=Account(0, account("dovecot").gid),
            handover=Path("/run/serve/lmtp") if delivery.by_lmtp(os.environ) else None,
            interval=int(interval) if interval.isdecimal() and int(interval) else cls.interval,
        )

    def home(self, user: str) -> Path:
        """HOME of a user's fetchmail and of what it starts."""
        return self.homes / user

    def last_good(self, user: str) -> Path:
        """The newest files of a user that were in order."""
        return self.state / "last-good" / user

    def idfiles(self, user: str) -> Path:
        """What fetchmail remembers of the mailboxes it reads."""
        return self.state / "fetchmail" / user
