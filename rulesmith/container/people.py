"""What the clerk knows of each user, kept in /run/health for whoever asks: how fetching goes, what became of mail."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from rulesmith.container.fetching import Fetching
from rulesmith.container.lines import whose
from rulesmith.container.services import escape

if TYPE_CHECKING:
    from pathlib import Path

# So many users that nobody has: names from outside must not fill the memory.
_MOST = 5000


class Person:
    """One user: his fetchmail processes by number, and how often mail of his came to which end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fetching: dict[str, Fetching] = {}
        self.mail: dict[str, int] = {}

    def as_json(self) -> dict[str, Any]:
        """For his file."""
        processes = {number: each.as_json() for number, each in self.fetching.items()}
        return {"user": self.name, "fetching": processes, "mail": self.mail}


class People:
    """All users; `store` writes what has changed."""

    def __init__(self, folder: Path, private: bool = False) -> None:
        self.folder = folder
        self.private = private
        self._people: dict[str, Person] = {}
        self._stored: dict[str, bytes] = {}
        self._load()

    def expect(self, pipe: str, now: float) -> None:
        """There is a pipe: of a user's fetchmail, maybe, of which nothing is known yet."""
        service, user, number = whose(pipe)
        if service == "fetch":
            self._person(user).fetching.setdefault(number, Fetching(now))

    def fetching(self, pipe: str) -> Fetching | None:
        """What is known of the process that writes into a pipe."""
        service, user, number = whose(pipe)
        person = self._people.get(user)
        return None if service != "fetch" or person is None else person.fetching.get(number)

    def forget(self, pipe: str) -> None:
        """A process is there no more."""
        service, user, number = whose(pipe)
        person = self._people.get(user)
        if service != "fetch" or person is None:
            return
        person.fetching.pop(number, None)
        if not person.fetching:
            del self._people[user]
            self._stored.pop(user, None)
            with contextlib.suppress(FileNotFoundError):
                self._path(user).unlink()

    def count(self, user: str, mail: dict[str, Any]) -> None:
        """A mail has come to an end."""
        if user not in self._people and len(self._people) >= _MOST:
            return
        counts = self._person(user).mail
        words = [mail["outcome"]] + ["unscanned"] * (mail.get("scan") == "unscanned")
        for word in words:
            counts[word] = counts.get(word, 0) + 1

    def store(self) -> None:
        """Write down what has changed, each file in one step."""
        for name, person in self._people.items():
            state = person.as_json()
            if self.private:
                for process in state["fetching"].values():
                    process["refused"] = [{**each, "line": ""} for each in process["refused"]]
            octets = json.dumps(state, ensure_ascii=False).encode("utf-8", "backslashreplace")
            if self._stored.get(name) == octets:
                continue
            path = self._path(name)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(octets)
            os.replace(fresh, path)
            self._stored[name] = octets

    def _person(self, name: str) -> Person:
        return self._people.setdefault(name, Person(name))

    def _path(self, name: str) -> Path:
        return self.folder / f"{escape(name)}.json"

    def _load(self) -> None:
        """What the clerk before this one knew."""
        for path in self.folder.glob("*.json"):
            state = read(path)
            if state is None:
                continue
            person = self._person(state["user"])
            person.mail = state["mail"]
            for number, each in state["fetching"].items():
                person.fetching[number] = Fetching.from_json(each)


def read(path: Path) -> dict[str, Any] | None:
    """A user's state from his file; None where it is gone or of another version."""
    try:
        state = json.loads(path.read_bytes())
        for each in state["fetching"].values():
            Fetching.from_json(each)
        return {"user": str(state["user"]), "fetching": dict(state["fetching"]), "mail": dict(state["mail"])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
