"""`rulesmith health`: what it says of daemons and users, and when it is not well."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith
from rulesmith.cli.health import table
from rulesmith.container import daemons, health
from rulesmith.container.fetching import Fetching
from rulesmith.container.people import People
from tests.promise.room import Room

NOW = 1_800_000_000.0


class Scene:
    """Folders as the container has them, daemons that answer, and what the clerk has heard."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.sources = health.Sources(folder / "health", folder / "keeper.json", folder / "queue")
        self.sources.states.mkdir()
        self.answers = dict.fromkeys(("dovecot", "rspamd", "redis", "queue", "keeper", "learner", "clerk"), "")
        monkeypatch.setattr(daemons, "ask", lambda _doors, _by_lmtp: self.answers)
        self.people = People(self.sources.states)

    def hears(self, pipe: str, *lines: str, at: float = NOW) -> Fetching:
        self.people.expect(pipe, at)
        fetching = self.people.fetching(pipe)
        assert fetching
        for line in lines:
            fetching.feed(line, at)
        self.people.store()
        return fetching

    def poll(self, pipe: str, server: str, *lines: str, at: float = NOW, interval: int = 600) -> None:
        """A whole poll, `lines` in its middle; the last one may be a status."""
        self.hears(
            pipe,
            f"fetchmail: 6.4.39 querying {server} (protocol IMAP) at X: poll started",
            *(line for line in lines if "status" not in line),
            f"fetchmail: 6.4.39 querying {server} (protocol IMAP) at X: poll completed",
            *(line for line in lines if "status" in line),
            f"fetchmail: sleeping at X for {interval} seconds",
            at=at,
        )

    def ask(self, environment: Mapping[str, str] = MappingProxyType({}), now: float = NOW) -> health.Health:
        return health.gather(self.sources, environment, now)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


REFUSED = ("fetchmail: Authorization failure on u@host", "fetchmail: Query status=3 (AUTHFAIL)")


def test_a_container_without_users_is_well(scene: Scene) -> None:
    found = scene.ask()
    assert found.problems == []
    assert found.people == []
    assert table(found, NOW).startswith("healthy\n\nDAEMON   STATE\ndovecot  answers\n")


def test_a_daemon_that_does_not_answer_is_a_problem(scene: Scene) -> None:
    scene.answers["rspamd"] = "Connection refused"
    found = scene.ask()
    assert found.problems == ["rspamd: Connection refused"]
    assert "\nrspamd   Connection refused\n" in table(found, NOW)
    assert found.as_json()["daemons"]["rspamd"] == {"answers": False, "reason": "Connection refused"}


def test_the_last_fetch_and_the_last_error_of_a_user(scene: Scene) -> None:
    scene.poll("fetch:u=40x:0", "host", at=NOW - 700)
    scene.poll("fetch:u=40x:0", "host", *REFUSED, at=NOW - 100)
    found = scene.ask()
    assert found.problems == []
    (person,) = found.people
    assert (person.name, person.last_fetch) == ("u@x", NOW - 700)
    assert person.troubles == {"login": 1}
    assert "u@x   11 minutes ago  -         100 seconds ago: host refuses the login: check user and" in table(
        found, NOW
    )


@pytest.mark.parametrize(
    ("interval", "environment", "last", "well"),
    [
        (600, {}, 2000, True),
        (600, {}, 2200, False),
        (3600, {}, 11_000, True),
        (3600, {}, 11_200, False),
        (600, {"RULESMITH_FETCH_LIMIT": "60"}, 61, False),
        (600, {"RULESMITH_FETCH_LIMIT": "90000"}, 80_000, True),
    ],
)
def test_who_has_not_fetched_for_too_long_is_a_problem(
    scene: Scene, interval: int, environment: Mapping[str, str], last: int, well: bool
) -> None:
    scene.poll("fetch:u:0", "host", at=NOW - last, interval=interval)
    found = scene.ask(environment)
    assert (found.problems == []) is well
    if not well:
        assert found.problems[0].startswith("u: nothing could be fetched from host for ")


def test_why_is_part_of_the_problem(scene: Scene) -> None:
    scene.poll("fetch:u:0", "host", *REFUSED, at=NOW - 9000)
    (problem,) = scene.ask().problems
    assert problem == (
        "u: nothing could be fetched from host for 2 hours: host refuses the login: check user and password"
    )


def test_who_never_said_anything_is_late_too(scene: Scene) -> None:
    scene.hears("fetch:u:0", at=NOW - 3000)
    assert scene.ask().problems == ["u: nothing could be fetched for 50 minutes"]
    assert "never" in table(scene.ask(), NOW)


def test_an_idle_connection_is_quiet_for_28_minutes(scene: Scene) -> None:
    scene.hears(
        "fetch:u:0",
        "fetchmail: 6.4.39 querying host (protocol IMAP) at X: poll started",
        "fetchmail: IMAP> A0003 IDLE",
        "fetchmail: IMAP< + idling",
        at=NOW - 1700,
    )
    assert scene.ask({"RULESMITH_FETCH_LIMIT": "120"}).problems == []
    assert "28 minutes ago, idle" in table(scene.ask(), NOW)
    assert scene.ask(now=NOW + 600).problems != []
    # A server that shows in between that it lives.
    scene.hears("fetch:u:0", "fetchmail: IMAP< * OK Still here", at=NOW)
    assert scene.ask(now=NOW + 600).problems == []


def test_of_two_servers_the_one_that_waits_longest_counts(scene: Scene) -> None:
    scene.poll("fetch:u:0", "one", at=NOW - 10)
    scene.poll("fetch:u:1", "two", at=NOW - 5000)
    scene.poll("fetch:u:0", "three", *REFUSED, at=NOW - 4000)
    found = scene.ask()
    assert found.people[0].last_fetch == 0
    assert len(found.problems) == 2
    assert "from two for 83 minutes" in found.problems[1] or "from two for 83 minutes" in found.problems[0]


def test_one_server_that_is_polled_for_two_people_is_two(scene: Scene) -> None:
    begin, end = (
        f"fetchmail: 6.4.39 querying host (protocol IMAP) at X: poll {word}" for word in ("started", "completed")
    )
    for at in (NOW - 9000, NOW):
        scene.hears(
            "fetch:u:0",
            begin,
            end,
            begin,
            REFUSED[0],
            end,
            REFUSED[1],
            "fetchmail: sleeping at X for 600 seconds",
            at=at,
        )
    found = scene.ask()
    # That one of them can log in hides the other from nobody.
    assert [(poll.success, poll.failing) for poll in found.people[0].polls] == [(NOW, 0), (0, 2)]
    assert len(found.problems) == 1


def test_a_message_that_fetchmail_refuses_is_named(scene: Scene) -> None:
    scene.poll(
        "fetch:u:0",
        "host",
        "reading message u@host:2 of 3 (45 header octets)",
        "fetchmail: incorrect header line found - see manpage for bad-header option",
        "fetchmail: line: no header",
    )
    found = scene.ask()
    assert found.problems == []
    assert (
        'u: fetchmail refuses message 2 of 3 at host (at the line "no header"); '
        "to fetch it write `bad-header accept` behind `poll host` in fetchmailrc"
    ) in table(found, NOW)


def test_a_server_that_fetchmail_has_given_up_is_named_with_what_to_do(scene: Scene) -> None:
    given_up = "fetchmail: poll of host skipped (failed authentication or too many timeouts)"
    scene.poll("fetch:u:0", "host")
    fetching = scene.hears("fetch:u:0", given_up, at=NOW + 600)
    assert fetching.feed(given_up, NOW + 1200) == []
    scene.people.store()
    found = scene.ask(now=NOW + 1200)
    assert "host no more, after too many refused logins" in table(found, NOW + 1200)
    assert "s6-svc -r" in table(found, NOW + 1200)
    late = scene.ask(now=NOW + 3600).problems
    assert len(late) == 1
    assert "u: nothing could be fetched from host for 60 minutes: fetchmail asks host no more" in late[0]
    # A new process asks again.
    scene.poll("fetch:u:0", "host", at=NOW + 4000)
    assert scene.ask(now=NOW + 4000).problems == []


def test_messages_of_a_user_who_is_gone_are_named_with_what_to_do(scene: Scene) -> None:
    home = scene.folder / "anna"
    home.mkdir()
    room = Room(home, queue=True)
    room.queue = scene.sources.queue
    room.configure('match all action pipe "exit 75"\n')
    assert room.hand(b"From: a@b\n\nx\n").status == 0
    assert "no fdm.conf any more" not in table(scene.ask(), NOW)
    (home / "conf").unlink()
    room.work()
    found = scene.ask()
    assert [(person.name, person.deferred) for person in found.people] == [("anna", 1)]
    assert "anna: 1 of the messages that wait have no fdm.conf any more" in table(found, NOW)


def test_messages_that_wait_are_counted_for_whom_they_are(scene: Scene) -> None:
    before = int(time.time())
    for name, count in (("anna", 2), ("bob", 1)):
        home = scene.folder / name
        home.mkdir()
        room = Room(home, queue=True, rules='match all action pipe "exit 75"\n')
        room.queue = scene.sources.queue
        room.configure('match all action pipe "exit 75"\n')
        for number in range(count):
            assert room.hand(b"From: a@b\nSubject: %d\n\nx\n" % number).status == 0
    found = scene.ask()
    assert [(person.name, person.deferred) for person in found.people] == [("anna", 2), ("bob", 1)]
    assert found.queued == 3
    assert before <= found.people[0].deferred_since <= found.people[1].deferred_since <= time.time()
    assert found.problems == []
    assert "anna  -           2 since " in table(found, NOW)


def test_files_that_are_refused_are_told(scene: Scene) -> None:
    users = {
        "u": {"mailbox": True, "fetching": ["host"], "missing": [], "refused": {"fdm.conf": ["line 3: error"]}},
        "v": {
            "mailbox": True,
            "fetching": [],
            "missing": ["fetchmailrc"],
            "refused": {"fetchmailrc": ["line 1: error"]},
        },
        "w": {"mailbox": True, "fetching": [], "missing": [], "refused": {}},
        "x": {"mailbox": False, "fetching": [], "missing": ["passwd"], "refused": {"passwd": ["no password"]}},
    }
    scene.sources.keeper.write_text(json.dumps({"users": users, "unusable": {"x:y": "not a user: colon"}, "blind": ""}))
    found = scene.ask()
    assert found.problems == [
        "x:y: not a user: colon",
        "v: fetchmailrc is refused: line 1: error; nothing is fetched",
        "x: passwd is refused: no password; there is no mailbox",
    ]
    assert [person.name for person in found.people] == ["u", "v", "x"]
    assert "u: fdm.conf is refused: line 3: error; the last good one goes on working" in table(found, NOW)


def test_a_limit_that_is_no_number_is_told(scene: Scene) -> None:
    assert scene.ask({"RULESMITH_FETCH_LIMIT": "soon"}).problems == ["RULESMITH_FETCH_LIMIT is not a number of seconds"]


def test_a_state_that_is_damaged_hides_nobody_else(scene: Scene) -> None:
    scene.poll("fetch:u:0", "host")
    (scene.sources.states / "v.json").write_bytes(b'{"user": "v", "fetching": {"0"')
    assert [person.name for person in scene.ask().people] == ["u"]


def test_names_and_errors_cannot_move_the_cursor(scene: Scene) -> None:
    scene.poll(
        "fetch:=1B[2J:0", "host", "fetchmail: Authorization failure on u", "fetchmail: Query status=3 (AUTHFAIL)"
    )
    assert "\x1b" not in table(scene.ask(), NOW)
    assert "\\x1b[2J" in table(scene.ask(), NOW)


def _run(scene: Scene, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setattr(health, "Sources", lambda: scene.sources)
    monkeypatch.setattr(health, "become_mail", lambda _: None)
    return CliRunner().invoke(rulesmith, ["health", *words])


def test_the_command_ends_with_0_when_well_and_with_1_when_not(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    done = _run(scene, monkeypatch)
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "healthy")
    scene.answers["redis"] = "No such file or directory"
    done = _run(scene, monkeypatch, "--format", "json")
    assert done.exit_code == 1
    assert json.loads(done.output)["problems"] == ["redis: No such file or directory"]


@pytest.mark.skipif(os.path.isdir("/run/health"), reason="this is such a container")
def test_outside_of_the_image_there_is_nothing_to_ask() -> None:
    done = CliRunner().invoke(rulesmith, ["health"])
    assert done.exit_code == 1
    assert done.output == "Error: there is nothing to ask: this is not the container of the image\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_asks_as_the_user_of_the_mail(scene: Scene) -> None:
    os.chown(scene.sources.states, 5000, 5000)
    child = os.fork()
    if not child:
        health.become_mail(scene.sources)
        os._exit((os.geteuid(), os.getegid(), os.getgroups()) != (5000, 5000, []))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_it_is_loaded_only_where_it_is_asked_for() -> None:
    import subprocess

    code = "import sys; import rulesmith.cli; sys.exit('rulesmith.container.health' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
