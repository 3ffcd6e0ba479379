"""Is the container well? Each daemon is asked; for each user: when mail was fetched last, what is wrong, what waits."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulesmith.container import daemons, delivery, dovecot_settings
from rulesmith.container.fetching import Fetching
from rulesmith.container.people import read
from rulesmith.delivery import queue
from rulesmith.delivery.progress import Unreadable
from rulesmith.options import UsageError, parse
from rulesmith.queue_states import states

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where no limit is set: so many polls may fail, and so many seconds are left for them.
_POLLS, _GRACE = 3, 300
# Seconds: fetchmail renews an idle connection after 28 minutes, and before that a quiet one shows no sign of life.
_IDLE = 2100


@dataclass(frozen=True)
class Sources:
    """Where what is known lies; tests have places of their own."""

    states: Path = Path("/run/health")
    keeper: Path = Path("/run/keeper.json")
    queue: Path = Path("/home/vmail/.rulesmith/queue")
    doors: daemons.Doors = field(default_factory=daemons.Doors)
    dovecot: Path = Path("/run/dovecot.json")


@dataclass
class Poll:
    """One server that a user's mail is fetched from. Times are Unix times, 0 for never."""

    server: str
    since: float
    success: float
    idle: bool
    failing: int
    error: str
    kind: str
    error_at: float
    late: bool


@dataclass
class Person:
    """One user. `deferred` messages wait in the queue, the oldest `deferred_since`; `notes` is what he should know."""

    name: str
    polls: list[Poll] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    mail: dict[str, int] = field(default_factory=dict)
    deferred: int = 0
    deferred_since: int = 0
    without_rules: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def last_fetch(self) -> float | None:
        """The last success of the server that has waited longest; None for who fetches nothing."""
        return min((poll.success for poll in self.polls), default=None)

    @property
    def last_error(self) -> Poll | None:
        """The server whose trouble is the newest."""
        return max((poll for poll in self.polls if poll.error), key=lambda poll: poll.error_at, default=None)


@dataclass
class Health:
    """All of it; `problems` is empty where all is well."""

    daemons: dict[str, str]
    people: list[Person]
    problems: list[str]
    queued: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "healthy": not self.problems,
            "problems": self.problems,
            "daemons": {name: {"answers": not reason, "reason": reason} for name, reason in self.daemons.items()},
            "users": [{**asdict(person), "last_fetch": person.last_fetch} for person in self.people],
            "queue": self.queued,
        }


def is_image(sources: Sources) -> bool:
    """Whether there is anything to ask."""
    return sources.states.is_dir()


def become_mail(sources: Sources) -> None:
    """From root to whom the mail belongs: root without its rights over files may read less than that user."""
    if os.geteuid():
        return
    owner = sources.states.stat()
    # Where even that is not allowed, it stays with what root may read.
    with contextlib.suppress(PermissionError):
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)


def gather(sources: Sources, environment: Mapping[str, str], now: float | None = None) -> Health:
    """Ask everybody."""
    now = time.time() if now is None else now
    problems = []
    limit = None
    try:
        limit = int(environment.get("RULESMITH_FETCH_LIMIT") or 0) or None
    except ValueError:
        problems.append("RULESMITH_FETCH_LIMIT is not a number of seconds")
    asked = daemons.ask(sources.doors, delivery.by_lmtp(environment))
    problems += [f"{name}: {reason}" for name, reason in asked.items() if reason]
    people: dict[str, Person] = {}
    for path in sorted(sources.states.glob("*.json")):
        state = read(path)
        if state is not None:
            people[state["user"]] = _person(state, limit, now)
    problems += _kept(sources.keeper, people)
    problems += dovecot_settings.problems(sources.dovecot)
    queued = _queued(sources.queue, people, problems)
    listed = sorted(people.values(), key=lambda person: person.name)
    problems += [_late(person, poll, now) for person in listed for poll in person.polls if poll.late]
    return Health(asked, listed, problems, queued)


def _person(state: dict[str, Any], limit: int | None, now: float) -> Person:
    person = Person(state["user"], mail=state["mail"])
    for stored in state["fetching"].values():
        process = Fetching.from_json(stored)
        person.rounds += process.polls
        person.refused += process.refused
        for kind, count in process.troubles.items():
            person.troubles[kind] = person.troubles.get(kind, 0) + count
        allowed = limit or max(_POLLS * process.interval + _GRACE, _IDLE)
        for each in process.polled.values():
            late = now - (each.success or each.since) > (max(allowed, _IDLE) if each.idle else allowed)
            person.polls.append(
                Poll(
                    each.server, each.since, each.success, each.idle, each.failing, each.error, each.kind, each.at, late
                )
            )
        if not process.polled:
            late = now - process.since > allowed
            person.polls.append(Poll("", process.since, 0.0, False, 0, "", "", 0.0, late))
    return person


def _late(person: Person, poll: Poll, now: float) -> str:
    where = f" from {poll.server}" if poll.server else ""
    basis = poll.success or poll.since
    text = f"{person.name}: nothing could be fetched{where} for {duration(now - basis)}"
    return f"{text}: {poll.error}" if poll.error and poll.error_at >= poll.success else text


# What it means for a user that there is no file that could be used.
_WITHOUT = {
    "passwd": "there is no mailbox",
    "fetchmailrc": "nothing is fetched",
    "fdm.conf": "nothing is fetched",
}


def _kept(path: Path, people: dict[str, Person]) -> list[str]:
    """What the keeper says of the users' files; what of it is a problem."""
    try:
        report = json.loads(path.read_bytes())
        users, unusable, blind = dict(report["users"]), dict(report["unusable"]), str(report["blind"])
    except FileNotFoundError:
        # It has not come so far yet.
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{path}: {error}"]
    problems = [blind] if blind else []
    problems += [f"{name}: {reason}" for name, reason in unusable.items()]
    for name, each in users.items():
        if not (each["fetching"] or each["refused"]):
            continue
        person = people.setdefault(name, Person(name))
        for file, reasons in each["refused"].items():
            why = f"{file} is refused: {'; '.join(reasons)}"
            if file in each["missing"]:
                problems.append(f"{name}: {why}; {_WITHOUT[file]}")
            else:
                person.notes.append(f"{why}; the last good one goes on working")
    return problems


def _queued(folder: Path, people: dict[str, Person], problems: list[str]) -> int:
    """Count whose messages wait since when; how many there are, those included that nobody has tried yet."""
    octets = os.fsencode(folder)
    count = 0
    try:
        for state in states(octets):
            count += 1
            if not state.tries:
                continue
            name, has_rules = _owner(octets, state.name)
            person = people.setdefault(name, Person(name))
            person.deferred += 1
            person.without_rules += not has_rules
            person.deferred_since = min(person.deferred_since or state.since, state.since)
    except OSError as error:
        problems.append(f"the queue cannot be read: {error.strerror}")
    for person in people.values():
        if person.without_rules:
            person.notes.append(
                f"{person.without_rules} of the messages that wait have no fdm.conf any more. They are delivered when "
                "there is one again; else `rulesmith queue list` names them, `queue show --raw ID` prints one, and "
                "`queue drop ID` throws it away"
            )
    return count


def _owner(folder: bytes, name: bytes) -> tuple[str, bool]:
    """Whose message it is, the name of the home that its fetchmail had; and whether its configuration is there."""
    try:
        entry = queue.look(folder, name)
    except (OSError, Unreadable):
        return "?", True
    entry.close()
    home = entry.context.variables.get(b"HOME", b"").rstrip(b"/")
    try:
        conf = parse([os.fsdecode(word) for word in entry.context.words]).config
    except UsageError:
        conf = None
    has_rules = conf is None or os.path.lexists(os.path.join(os.fsdecode(entry.context.folder), conf))
    return os.path.basename(home).decode("utf-8", "backslashreplace") or "?", has_rules


def duration(seconds: float) -> str:
    """A span of time in words."""
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {word}s"
    return f"{max(seconds, 0):.0f} seconds"
