"""`fdm --config-check`: a configuration that fails its own tests delivers nothing, and nothing is lost by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith import queue_run
from rulesmith.cli import rulesmith
from tests.door import Call, Outcome, warm, warm_door

MAIL = b"From: anna@friends.example\nTo: me@example.com\nSubject: [choir] Tuesday\n\nAt seven.\n"
SETTINGS = 'set allow-multiple\nset default-user "{me}"\naccount "stdin" stdin\n'
GOOD = 'action "choir" maildir "choir"\nmatch "^Subject: \\\\[choir\\\\]" in headers action "choir"\n'
REST = 'match all action maildir "rest"\n'
TESTS = """\
[[test]]
name = "Mail of the choir"
subject = "[choir] Tuesday"
goes-to = "choir"

[[test]]
name = "What is left"
subject = "Dinner"
goes-to = "rest"
"""


class Room:
    """A configuration and its tests in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "conf"
        self.tests(TESTS)

    def write(self, rules: str) -> None:
        me = Path(os.environ.get("HOME", "/")).owner()
        self.conf.write_text(SETTINGS.format(me=me) + rules)
        self.conf.chmod(0o600)

    def tests(self, text: str) -> None:
        Path(f"{self.conf}.tests.toml").write_text(text)

    def fetch(self, *words: str) -> Outcome:
        env = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        return warm_door(Call(["-qf", "conf", *words], MAIL, str(self.folder), env))

    def is_remembered(self) -> bool:
        """Whether the compiled configuration is kept, which it is not while the file has only just been written."""
        return any((self.folder / ".cache" / "rulesmith").glob("*.program"))

    def stored(self, maildir: str) -> int:
        return len([*(self.folder / maildir / "new").glob("*")])


@pytest.fixture
def room(tmp_path: Path) -> Room:
    warm()
    return Room(tmp_path)


def test_a_configuration_whose_tests_pass_delivers(room: Room) -> None:
    room.write(GOOD + REST)
    outcome = room.fetch("--config-check", "fetch")
    assert (outcome.status, outcome.stderr, room.stored("choir")) == (0, b"", 1)


def test_one_whose_tests_fail_delivers_nothing_and_says_which(room: Room) -> None:
    room.write(GOOD.replace("choir\\\\]", "chorus\\\\]") + REST)
    outcome = room.fetch("--config-check", "fetch")
    assert outcome.stderr.decode().splitlines() == [
        'conf is not used: 1 of its 2 tests fails: "Mail of the choir" (conf.tests.toml:1); see: rulesmith test -f conf'
    ]
    assert (outcome.status, room.stored("rest")) == (75, 0)
    assert room.fetch("--config-check", "--fdm-exit-status", "fetch").status == 1
    # Nobody who does not ask for it pays for it.
    assert (room.fetch("fetch").status, room.stored("rest")) == (0, 1)
    # A program that nobody has tested is not one that was accepted.
    assert room.fetch("--config-check", "fetch").status == 75


def test_it_is_accepted_as_soon_as_its_tests_pass(room: Room) -> None:
    room.write(GOOD + REST)
    room.tests(TESTS.replace('"rest"', '"other"'))
    assert room.fetch("--config-check", "fetch").status == 75
    room.tests(TESTS)
    assert room.fetch("--config-check", "fetch").status == 0


def test_a_test_that_is_written_later_stops_no_mail(room: Room) -> None:
    room.write(GOOD + REST)
    while not room.is_remembered():
        assert room.fetch("--config-check", "fetch").status == 0
    room.tests(TESTS.replace('"rest"', '"other"'))
    for words in ((), ("-vv",)):
        outcome = room.fetch("--config-check", *words, "fetch")
        assert outcome.status == 0, outcome.stderr
    room.write(GOOD + REST + "# changed\n")
    assert room.fetch("--config-check", "fetch").status == 75


def test_an_error_that_check_finds_counts_too(room: Room) -> None:
    room.write("set ignore-errors\n" + GOOD + REST)
    outcome = room.fetch("--config-check", "fetch")
    assert outcome.status == 75
    said = outcome.stderr.decode().splitlines()[0]
    assert said.startswith("conf is not used: conf:4: with fdm, each delivery that fails")
    assert said.endswith(" [ignored-errors]; see: rulesmith check conf")


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        ("[[test]]\nname = 1\n", "conf.tests.toml:1: 1: `name` is a text"),
        ('[[test]]\nname = "x"\naccount = "other"\noutcome = "kept"\n', "no account is named 'other'"),
        ('[commands]\n"cat secret" = 1\n[[test]]\nname = "x"\noutcome = "kept"\n', "cat secret: command returned 1"),
    ],
)
def test_tests_that_cannot_be_used_accept_nothing(tests: str, why: str, room: Room) -> None:
    (room.folder / "secret").write_text("word")
    room.write('$word = $(cat secret)\nmatch "${word}" action maildir "word"\n' + GOOD + REST)
    room.tests(tests)
    outcome = room.fetch("--config-check", "fetch")
    assert outcome.status == 75
    assert why in outcome.stderr.decode().splitlines()[0]
    assert outcome.stderr.decode().splitlines()[0].endswith("; see: rulesmith test -f conf")


def test_without_tests_nothing_changes(room: Room) -> None:
    Path(f"{room.conf}.tests.toml").unlink()
    room.write(REST)
    assert room.fetch("--config-check", "fetch").status == 0


def test_the_queue_takes_the_message_meanwhile(room: Room) -> None:
    queue = room.folder / "queue"
    room.write(f'set queue "{queue}"\n' + REST)
    outcome = room.fetch("--config-check", "fetch")
    assert (outcome.status, room.stored("rest")) == (0, 0)
    assert b'"Mail of the choir"' in outcome.stderr
    room.tests(TESTS.replace('"choir"', '"rest"'))
    left = queue_run.Runner(bytes(queue), lambda _line: None).once()
    assert (left, room.stored("rest")) == ([], 1)


def test_the_configuration_can_be_tried_without_a_message(room: Room) -> None:
    room.write(REST)
    assert (room.fetch("-n").status, room.fetch("-n", "--config-check").status) == (0, 1)
    room.write(GOOD + REST)
    assert room.fetch("-n", "--config-check").status == 0
    room.tests(TESTS.replace('"rest"', '"other"'))
    assert room.fetch("--config-check", "-n").status == 1


def test_what_the_caller_says_holds_for_the_tests(room: Room) -> None:
    room.write('match string "${kind}" to "x" action maildir "choir"\n' + REST)
    room.tests('[[test]]\nname = "x"\ngoes-to = "choir"\n')
    outcome = room.fetch("-D", "$kind=y", "--config-check", "fetch")
    assert outcome.status == 75
    assert outcome.stderr.decode().splitlines()[0].endswith("; see: rulesmith test -D '$kind=y' -f conf")
    assert room.fetch("-D", "$kind=x", "--config-check", "fetch").status == 0


def test_a_server_does_not_take_the_flag_in_silence(tmp_path: Path) -> None:
    words = ["serve", "--lmtp", str(tmp_path / "s"), "--users", str(tmp_path), "--", "--config-check"]
    done = CliRunner().invoke(rulesmith, words)
    assert done.exit_code == 2
    assert "--config-check and --fdm-exit-status mean nothing for a server" in done.output
