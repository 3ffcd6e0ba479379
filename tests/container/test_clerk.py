"""The clerk: many pipes in, one log out. A real process on real pipes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rulesmith.container.pipes import LONGEST

ROOT = Path(__file__).parents[2]
_RUN = """
import os, sys
from pathlib import Path
from rulesmith.container import pipes
from rulesmith.container.clerk import Clerk
pipes.Pipe.unfinished.__defaults__ = (float(os.environ.get("UNFINISHED", pipes.PATIENCE)),)
Clerk(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), 1, os.environ).run()
"""
PATIENCE = 120.0


class Desk:
    """A clerk with its folders; `say` is what a service does, `read` takes lines of the log."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.pipes, self.states, self.homes = (folder / name for name in ("log", "health", "homes"))
        for each in (self.pipes, self.states, self.homes):
            each.mkdir(exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "TZ": "UTC", **environment}
        self.services: dict[str, int] = {}
        self.got = b""
        self.start()

    def start(self) -> None:
        self.clerk = subprocess.Popen(
            [sys.executable, "-c", _RUN, self.pipes, self.states, self.homes],
            stdout=subprocess.PIPE, cwd=ROOT, env=self.environment,
        )  # fmt: skip
        assert self.clerk.stdout
        self.out = self.clerk.stdout.fileno()

    def service(self, name: str) -> int:
        """As a run script: the pipe is opened for reading and writing, which never waits."""
        if name not in self.services:
            path = self.pipes / name
            if not path.exists():
                os.mkfifo(path)
            self.services[name] = os.open(path, os.O_RDWR)
        return self.services[name]

    def say(self, name: str, octets: bytes) -> None:
        os.write(self.service(name), octets)

    def read(self, count: int, seconds: float = PATIENCE) -> list[str]:
        """So many lines, without their time."""
        end = time.monotonic() + seconds
        while self.got.count(b"\n") < count:
            left = end - time.monotonic()
            assert left > 0, f"only {self.got!r}"
            if select.select([self.out], [], [], left)[0]:
                block = os.read(self.out, 65536)
                assert block, f"the clerk has ended: {self.got!r}"
                self.got += block
        *lines, self.got = self.got.split(b"\n", count)
        return [line.decode() for line in lines]

    def plain(self, count: int) -> list[str]:
        return [line.partition(" ")[2] for line in self.read(count)]

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.states / f"{name}.json").read_bytes())
        return found

    def kill(self) -> None:
        self.clerk.kill()
        self.clerk.wait()
        assert self.clerk.stdout
        self.clerk.stdout.close()

    def end(self) -> bytes:
        """SIGTERM; what it said until its end."""
        self.clerk.terminate()
        rest, _ = self.clerk.communicate(timeout=PATIENCE)
        assert self.clerk.returncode == 0
        rest, self.got = self.got + rest, b""
        return rest


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(tmp_path, **getattr(request, "param", {}))
    yield made
    for descriptor in made.services.values():
        os.close(descriptor)
    made.kill()


def until(ask: Any) -> Any:
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(FileNotFoundError, KeyError):
            answer = ask()
            if answer:
                return answer
        assert time.monotonic() < end
        select.select([], [], [], 0.02)


def test_each_line_has_time_service_user_and_text(desk: Desk) -> None:
    desk.say("redis", b"12:M 22 Nov 2026 17:00:00.123 * Ready to accept connections unix\n")
    desk.say("fetch:user@example.com:0", b"the mda says\n")
    desk.say("fetch:a=20b:1", b"another says\n")
    lines = desk.read(3)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ", line) for line in lines)
    assert sorted(line.partition(" ")[2] for line in lines) == [
        "fetch user@example.com: the mda says",
        "fetch.1 a b: another says",
        "redis: Ready to accept connections unix",
    ]


@pytest.mark.parametrize("desk", [{"TZ": "Asia/Kolkata"}, {"TZ": "<-03>3"}], indirect=True)
def test_the_zone_is_honoured(desk: Desk) -> None:
    desk.say("keeper", b"hello\n")
    (line,) = desk.read(1)
    assert {"Asia/Kolkata": "+05:30 ", "<-03>3": "-03:00 "}[desk.environment["TZ"]] in line


@pytest.mark.parametrize("desk", [{"RULESMITH_LOG": "json"}], indirect=True)
def test_as_json(desk: Desk) -> None:
    mail = {
        "mail": 1, "user": "b", "id": "<1@x>", "from": "c@d", "subject": 'a "b" \\x1b', "outcome": "delivered",
        "rules": [{"rule": 3, "file": "fdm.conf", "line": 12, "to": ["alias@example.com/Received"]}],
    }  # fmt: skip
    desk.say("queue", json.dumps(mail, separators=(",", ":")).encode() + b"\n" + b"other\n")
    first, second = map(json.loads, desk.read(2))
    assert first["service"] == "queue"
    assert first["user"] == "b"
    assert first["message"] == ('<1@x> from c@d "a "b" \\x1b" → rule 3 (fdm.conf:12) → alias@example.com/Received')
    assert first["mail"]["rules"][0]["line"] == 12
    assert {name: second[name] for name in ("service", "message")} == {"service": "queue", "message": "other"}


def test_the_line_of_a_mail(desk: Desk) -> None:
    mail = b'{"mail":1,"user":"somebody else","id":"<1@x>","from":"c@d","subject":"s","outcome":"dropped","rules":[]}\n'
    desk.say("fetch:user@example.com:0", mail)
    # In his own pipe nobody speaks for another.
    assert desk.plain(1) == ['fetch user@example.com: <1@x> from c@d "s" → dropped: no rule matched']
    assert until(lambda: desk.state("user@example.com")["mail"]) == {"dropped": 1}


@pytest.mark.parametrize(
    "text", [b'{"mail":1,}', b'{"mail":1,"user":3}', b'{"mail":1,"rules":"x","id":""}', b'{"mail":1,' + b"[" * 4000]
)
def test_what_only_looks_like_a_mail_is_a_line(desk: Desk, text: bytes) -> None:
    desk.say("queue", text + b"\n")
    assert desk.plain(1) == ["queue: " + text.decode()]


def test_octets_that_are_no_text_are_made_visible(desk: Desk) -> None:
    desk.say("rspamd", b"\x1b[2J\xff\x00caf\xc3\xa9 \xe2\x80\xaeexe\r\n")
    assert desk.plain(1) == ["rspamd: \\x1b[2J\\xff\\x00café \\u202eexe"]


# However long its writer is kept waiting in the middle: it is one line.
@pytest.mark.parametrize("desk", [{"UNFINISHED": str(PATIENCE)}], indirect=True)
def test_a_line_without_end_is_cut_with_a_mark_and_costs_no_memory(desk: Desk) -> None:
    total = 8 << 20
    descriptor = desk.service("dovecot")
    for _ in range(total // 65536):
        os.write(descriptor, b"x" * 65536)
    os.write(descriptor, b"\nnext\n")
    long, short = desk.plain(2)
    assert long == "dovecot: " + "x" * LONGEST + f" … ({total - LONGEST} more octets)"
    assert short == "dovecot: next"
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{desk.clerk.pid}/status").read_text())[0])
    assert peak < 64 << 10


def test_a_part_of_a_line_does_not_wait_for_ever(desk: Desk) -> None:
    desk.say("dovecot", b"without an end")
    assert desk.plain(1) == ["dovecot: without an end"]


def test_what_was_said_while_no_clerk_ran_is_read_by_the_next(desk: Desk) -> None:
    desk.say("fetch:u:0", b"fetchmail: 6.4.39 querying host (protocol IMAP) at X: poll started\nbefore\n")
    assert desk.plain(1) == ["fetch u: before"]
    until(lambda: desk.state("u")["fetching"]["0"]["polls"] == 1)
    desk.kill()
    desk.say("fetch:u:0", b"meanwhile\nfetchmail: 6.4.39 querying host (protocol IMAP) at X: poll completed\n")
    desk.say("fetch:u:0", b"fetchmail: sleeping at X for 5 seconds\n")
    desk.start()
    assert desk.plain(1) == ["fetch u: meanwhile"]
    # The state goes on where the killed one had been.
    until(lambda: desk.state("u")["fetching"]["0"]["interval"] == 5)
    assert desk.state("u")["fetching"]["0"]["polls"] == 1


def test_a_pipe_that_is_removed_is_read_to_its_end_and_its_state_goes(desk: Desk) -> None:
    desk.say("fetch:u:0", b"first\n")
    assert desk.plain(1) == ["fetch u: first"]
    until((desk.states / "u.json").exists)
    desk.say("fetch:u:0", b"last words")
    (desk.pipes / "fetch:u:0").unlink()
    assert desk.plain(1) == ["fetch u: last words"]
    until(lambda: not (desk.states / "u.json").exists())


def test_a_pipe_made_anew_under_its_name_is_read(desk: Desk) -> None:
    desk.say("queue", b"old\n")
    assert desk.plain(1) == ["queue: old"]
    (desk.pipes / "queue").unlink()
    os.close(desk.services.pop("queue"))
    desk.say("queue", b"new\n")
    assert desk.plain(1) == ["queue: new"]


def test_a_file_that_is_no_pipe_is_named_and_disturbs_nobody(desk: Desk) -> None:
    (desk.pipes / "plain").write_text("x")
    assert desk.plain(1)[0].startswith("clerk: plain: ")
    desk.say("queue", b"still here\n")
    until(lambda: "queue: still here" in desk.plain(1))


def test_a_log_that_nobody_takes_stops_no_service(desk: Desk) -> None:
    fcntl.fcntl(desk.out, fcntl.F_SETPIPE_SZ, 4096)
    descriptor = desk.service("rspamd")
    line = b"y" * 1000 + b"\n"
    # Two megabytes are said, though not one octet was read. A clerk that waited for the reader would do so for ever.
    for _ in range(2000):
        assert select.select([], [descriptor], [], PATIENCE)[1]
        os.write(descriptor, line)
    lines = [desk.plain(1)[0]]
    while not lines[-1].startswith("clerk: "):
        lines.append(desk.plain(1)[0])
    assert re.fullmatch(r"clerk: \d+ lines are missing here, because nobody read the log", lines[-1])
    lost = int(lines[-1].split()[1])
    assert lost
    desk.say("rspamd", b"again\n")
    until(lambda: desk.plain(1) == ["rspamd: again"])


def test_at_its_end_everything_is_said(desk: Desk) -> None:
    desk.say("dovecot", b"first\n")
    desk.plain(1)
    for number in range(500):
        desk.say("dovecot", b"line %d\n" % number)
    said = desk.end().decode().splitlines()
    assert [line.rpartition(" ")[2] for line in said] == [str(number) for number in range(500)]


def test_it_shows_that_it_lives(desk: Desk) -> None:
    until((desk.states / "clerk").exists)


def test_a_password_is_said_by_nobody(desk: Desk) -> None:
    home = desk.homes / "u"
    home.mkdir()
    (home / "fetchmailrc").write_text("poll x user 'y' password 'hunter2 is mine' keep\n")
    desk.say("keeper", b"x\n")
    desk.plain(1)

    def said() -> bool:
        desk.say("keeper", b"sh: hunter2 is mine: not found\n")
        return desk.plain(1) == ["keeper: sh: …: not found"]

    until(said)


@pytest.mark.parametrize("desk", [{"RULESMITH_LOG_PRIVATE": "1"}], indirect=True)
def test_in_private_no_address_is_said_by_anybody(desk: Desk) -> None:
    desk.say("dovecot", b"Nov 22 17:00:00 imap-login: Info: Login: user=<a@example.com>, rip=10.0.0.1\n")
    desk.say("rspamd", b"id: <1.2@x.org>, from: <b@x.org>\n")
    assert sorted(desk.plain(2)) == [
        "dovecot: imap-login: Info: Login: user=<…>, rip=10.0.0.1",
        "rspamd: id: <…>, from: <…>",
    ]


def test_ten_thousand_lines_cost_little(desk: Desk) -> None:
    desk.say("dovecot", b"first\n")
    desk.plain(1)
    descriptor = desk.service("dovecot")
    block = b"".join(b"imap(user%d): Info: Logged out in=%d out=%d\n" % (each, each, each) for each in range(100))
    for _ in range(100):
        os.write(descriptor, block)
        desk.read(100)
    ticks = sum(map(int, Path(f"/proc/{desk.clerk.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    assert ticks / os.sysconf("SC_CLK_TCK") < 3


def test_sigterm_ends_it_though_the_log_is_not_taken(desk: Desk) -> None:
    fcntl.fcntl(desk.out, fcntl.F_SETPIPE_SZ, 4096)
    for _ in range(20):
        desk.say("dovecot", b"z" * 1000 + b"\n")
    until(lambda: not select.select([desk.service("dovecot")], [], [], 0)[0])
    desk.clerk.send_signal(signal.SIGTERM)
    assert desk.clerk.wait(PATIENCE) == 0
