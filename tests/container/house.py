"""A configuration, a keeper and a supervisor for tests: users come, change and go."""

from __future__ import annotations

import json
from pathlib import Path

from rulesmith.container import services
from rulesmith.container.keeper import Keeper
from tests.container import fetchmail
from tests.container.supervisor import Supervisor, until

USER = "user@example.com"
# Nobody listens there.
RC = "poll 127.0.0.1 proto imap port 9 user 'user@example.com' pass 'pass word' folder INBOX idle\n"
RULES = 'account "stdin" disabled stdin\naction "drop" drop\nmatch all action "drop"\n'


class House:
    """A configuration, a keeper and a supervisor."""

    def __init__(self, top: Path) -> None:
        self.places = fetchmail.places(top, fetchmail.command())
        self.supervisor = Supervisor(self.places.scan)
        self.said: list[str] = []
        self.lacks = ""
        self.keeper = self.fresh()

    def fresh(self) -> Keeper:
        """Another keeper, as after its end."""
        return Keeper(
            self.places,
            self.supervisor.s6,
            lambda: self.lacks,
            lambda user, sentence: self.said.append(f"{user}: {sentence}"),
        )

    def user(self, name: str, **files: str | None) -> Path:
        """Write a user's files: passwd, rc, conf; None takes one away."""
        folder = self.places.users / name
        folder.mkdir(exist_ok=True)
        for key, text in files.items():
            path = folder / {"passwd": "passwd", "rc": "fetchmailrc", "conf": "fdm.conf"}[key]
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        return folder

    def look(self, times: int = 2) -> None:
        """A change counts when the second look finds it as the first has."""
        for _ in range(times):
            self.keeper.look()

    def service(self, user: str, number: int = 0) -> Path:
        return self.places.services / f"fetch:{services.escape(user)}:{number}"

    def pid(self, user: str, number: int = 0) -> int:
        return self.supervisor.pid(self.service(user, number))

    def running(self, user: str, number: int = 0) -> int:
        """The process of a service, waited for."""
        until(lambda: self.pid(user, number), f"fetchmail {number} of {user} runs")
        return self.pid(user, number)

    def fetchmail(self, user: str, number: int = 0) -> int:
        """The number of fetchmail itself, waited for: it makes its file first, and writes it then."""
        file = self.places.home(user) / f"fetchmail.{number}.pid"
        until(lambda: file.exists() and file.read_text(), f"fetchmail {number} of {user} has written its number")
        return int(file.read_text().split()[0])

    def looks_until(self, ask: object, what: str) -> None:
        def asked() -> object:
            self.keeper.look()
            return ask()  # type: ignore[operator]

        until(asked, what)

    def passwd(self) -> list[str]:
        return self.places.passwd.read_text().splitlines()

    def report(self) -> dict[str, object]:
        report: dict[str, object] = json.loads(self.places.report.read_text())
        return report
