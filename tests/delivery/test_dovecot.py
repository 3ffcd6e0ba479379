"""What becomes of a message that is handed to Dovecot's LMTP server, or that it does not take.

tests/chain/test_set_dovecot.py has it on the real Dovecot.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith.delivery import command as commands
from rulesmith.delivery import dovecot
from rulesmith.delivery.connection import Connection
from rulesmith.delivery.dovecot import Agent
from rulesmith.delivery.drive import Driver
from rulesmith.effects import RUN, Failure
from tests.worlds import a_world

User = tuple[bytes, int, int, bytes]
# It is ourselves for whom it is delivered.
USER: User = (b"me", os.geteuid(), os.getegid(), b"/")
D = b"/usr/libexec/dovecot/deliver"
MAIL = b"Return-Path: <a@example.org>\nSubject: x\n\n.dot\n"
COMMAND = D + b" -d user@example.com -m Received"


class Script:
    """A server that says what it is told to, whatever it hears; `heard` is that.

    After a reply that is not whole it is gone; an empty one is none.
    """

    def __init__(self, path: Path, *replies: bytes) -> None:
        self.heard = b""
        self.connections = 0
        self._replies = list(replies)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._replies:
            try:
                client, _ = self._socket.accept()
            except OSError:
                # It is closed, and nobody has come.
                return
            self.connections += 1
            with client:
                while self._replies:
                    reply = self._replies.pop(0)
                    if not reply:
                        break
                    client.sendall(reply)
                    if not reply.endswith(b"\n"):
                        break
                    got = client.recv(100_000)
                    if not got:
                        break
                    self.heard += got

    def is_left(self) -> bool:
        """Whether all is said and the client is gone."""
        self._thread.join(10)
        return not self._thread.is_alive()

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._replies.clear()
        # Wakes a server that nobody has come to.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()
        assert not self._thread.is_alive()


GREETING = b"220 here\r\n"
HELLO = b"250-here\r\n250 PIPELINING\r\n"
READY = b"250 ok\r\n250 ok\r\n354 go\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lmtp"


@pytest.fixture
def scripts() -> Iterator[list[Script]]:
    made: list[Script] = []
    yield made
    for each in made:
        each.close()


def agent(path: Path, folders: bool = True) -> Agent:
    return Agent(bytes(path), folders)


def delivers(ours: Agent, command: bytes, mail: bytes = MAIL, user: User = USER) -> bool:
    """Whether the message of a single command is delivered. Raises Failure where that is not known."""
    (outcome,) = ours.deliver([(command, user)], mail, a_world())
    if isinstance(outcome, Failure):
        raise outcome
    return outcome


def test_a_message_is_handed_over_and_the_connection_kept(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", READY, b"250 stored\r\n"))
    ours = agent(path)
    assert delivers(ours, COMMAND)
    assert delivers(ours, D + b" -d user@example.com")
    ours.close()
    scripts[0].close()
    assert scripts[0].connections == 1
    assert b"MAIL FROM:<a@example.org>\r\nRCPT TO:<user+Received@example.com>\r\nDATA\r\n" in scripts[0].heard
    assert b"RCPT TO:<user@example.com>\r\n" in scripts[0].heard
    assert scripts[0].heard.endswith(b"\r\n\r\n..dot\r\n.\r\n")


@pytest.mark.parametrize(
    "replies",
    [
        (b"421 busy\r\n",),
        (GREETING, b"500 no\r\n"),
        (GREETING, HELLO, b"250 ok\r\n550 5.1.1 unknown\r\n503 none\r\n"),
        (GREETING, HELLO, b"250 ok\r\n250 ok\r\n451 not now\r\n"),
        (GREETING, HELLO, READY, b"451 4.2.2 full\r\n"),
        (GREETING, HELLO, READY, b"552 5.2.2 full\r\n"),
        (GREETING, HELLO, b""),
    ],
)
def test_what_it_does_not_take_is_left_to_the_command(
    path: Path, scripts: list[Script], replies: tuple[bytes, ...]
) -> None:
    scripts.append(Script(path, *replies))
    ours = agent(path)
    assert not delivers(ours, COMMAND)
    ours.close()


def test_where_nobody_listens_the_command_is_run(path: Path) -> None:
    assert not delivers(agent(path), COMMAND)


def test_a_server_that_stands_still_is_not_waited_for_as_long_as_it_has_no_message(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dovecot, "_PATIENCE", 0.01)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        since = time.monotonic()
        assert not delivers(agent(path), COMMAND)
        assert time.monotonic() - since < a_world().settings["timeout"] / 2


def test_a_server_that_has_the_message_may_take_its_time(
    path: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody can know any more whether it has stored it. The next message does not wait for it longer."""
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", READY, b"250 stored\r\n"))
    limits: list[float] = []
    monkeypatch.setattr(Connection, "have_patience", lambda _, limit: limits.append(limit))
    monkeypatch.setattr(dovecot, "_PATIENCE", 5)
    ours = agent(path)
    for _ in range(2):
        assert delivers(ours, COMMAND)
    ours.close()
    assert limits == [5, a_world().settings["timeout"]] * 2


def test_without_a_socket_nobody_is_asked() -> None:
    assert not delivers(Agent(b"", True), COMMAND)


def test_where_a_detail_is_no_folder_the_command_is_run(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path, folders=False)
    assert not delivers(ours, COMMAND)
    assert delivers(ours, D + b" -d user@example.com")
    ours.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_again(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", b"", GREETING, HELLO, READY, b"250 ok\r\n"))
    ours = agent(path)
    assert delivers(ours, COMMAND)
    assert delivers(ours, COMMAND)
    assert scripts[0].connections == 2
    ours.close()


def test_a_server_that_is_gone_before_it_answers_may_have_the_message(path: Path, scripts: list[Script]) -> None:
    """So neither does the command deliver it a second time, nor is it called delivered."""
    scripts.append(Script(path, GREETING, HELLO, READY, b""))
    with pytest.raises(Failure, match="whether Dovecot has stored it is not known: connection unexpectedly closed"):
        delivers(agent(path), COMMAND)


def test_a_plan_has_one_connection_which_ends_with_the_account(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", READY, b"250 stored\r\n"))
    driver = Driver(a_world(dovecot=bytes(path), dovecot_folders=True), {}, lambda _: None)
    for command in (D + b" -d user@example.com", COMMAND):
        assert driver.answer((RUN, "pipe", command, MAIL, USER, None)) == (0, b"")
    assert scripts[0].connections == 1
    driver.close()
    assert scripts[0].is_left()


@pytest.mark.parametrize("purpose", ["exec", "rewrite", "condition"])
def test_only_a_pipe_action_delivers(
    purpose: str, path: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    monkeypatch.setattr(commands, "run", lambda *_: (3, b"the command"))
    driver = Driver(a_world(dovecot=bytes(path), dovecot_folders=True), {}, lambda _: None)
    assert driver.answer((RUN, purpose, COMMAND, MAIL, USER, None)) == (3, b"the command")
    assert driver.answer((RUN, "pipe", COMMAND, MAIL, USER, None)) == (0, b"")
    driver.close()


def test_an_answer_may_have_several_lines(path: Path, scripts: list[Script]) -> None:
    several = b"250-2.0.0 stored\r\n250 2.0.0 ok\r\n"
    scripts.append(
        Script(path, GREETING, HELLO, READY, several, READY, several, READY, b"452-4.2.2 full\r\n452 no\r\n")
    )
    ours = agent(path)
    assert delivers(ours, COMMAND)
    assert delivers(ours, COMMAND)
    # It was the same connection, so nothing of the first answer was left over.
    assert scripts[0].connections == 1
    assert not delivers(ours, COMMAND)
    ours.close()


@pytest.mark.parametrize("answer", [b"garbage\r\n", b"354 go on\r\n", b"2500 ok\r\n", b"\r\n", b"250-a\r\ngarbage\r\n"])
def test_an_answer_that_means_nothing_may_mean_that_it_is_stored(
    answer: bytes, path: Path, scripts: list[Script]
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, answer))
    with pytest.raises(Failure, match="whether Dovecot has stored it is not known: it answered"):
        delivers(agent(path), COMMAND)


@pytest.mark.parametrize(
    "mail",
    [b"", b"\nbody\n", b" folded\n\nx\n", b"From x\nA: b\n\nx\n", b"A: b\r\n\r\nx\r\n", b"A: b\n\n\0\n", b"A: b\n\nx"],
)
def test_a_message_that_lmtp_would_change_is_left_to_the_command(
    mail: bytes, path: Path, scripts: list[Script]
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path)
    assert not delivers(ours, COMMAND, mail)
    assert delivers(ours, COMMAND)
    ours.close()


def test_root_leaves_to_the_command_what_is_for_somebody_else(
    path: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path)
    with monkeypatch.context() as root:
        root.setattr(dovecot, "must_switch", lambda user: user != USER)
        assert not delivers(ours, COMMAND, user=(b"someone", 1000, 1000, b"/"))
    assert delivers(ours, COMMAND)
    ours.close()


INBOX = D + b" -d user@example.com"
OTHER = D + b" -d other@example.com"
THREE = b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"


def together(ours: Agent, *commands: bytes) -> list[bool | str]:
    """What becomes of one message for some commands; a failure as its text."""
    outcomes = ours.deliver([(command, USER) for command in commands], MAIL, a_world())
    return [outcome.text if isinstance(outcome, Failure) else outcome for outcome in outcomes]


def test_several_mailboxes_get_a_message_in_one_transaction(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, THREE, b"250 stored\r\n250 stored\r\n", READY, b"250 stored\r\n"))
    ours = agent(path)
    assert together(ours, INBOX, COMMAND) == [True, True]
    assert delivers(ours, OTHER)
    ours.close()
    scripts[0].close()
    assert scripts[0].connections == 1
    both = b"RCPT TO:<user@example.com>\r\nRCPT TO:<user+Received@example.com>\r\nDATA\r\n"
    assert both in scripts[0].heard
    assert scripts[0].heard.count(b"..dot") == 2


def test_the_last_mailbox_has_as_long_as_the_first(
    path: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dovecot answers when all of them have the message."""
    patience: list[float] = []
    monkeypatch.setattr(Connection, "have_patience", lambda _, seconds: patience.append(seconds))
    scripts.append(Script(path, GREETING, HELLO, THREE, b"250 stored\r\n250 stored\r\n"))
    ours = agent(path)
    assert together(ours, INBOX, COMMAND) == [True, True]
    ours.close()
    assert patience[-1] == 2 * a_world().settings["timeout"]


@pytest.mark.parametrize(
    ("commands", "outcomes"),
    [
        ((INBOX, COMMAND, b"cat >/dev/null", OTHER), [True, True, False, False]),
        ((INBOX, COMMAND, INBOX), [True, True, False]),
    ],
    ids=["a command that is not Dovecot's", "a mailbox that is named again"],
)
def test_what_is_not_sure_to_come_out_the_same_ends_a_transaction(
    commands: tuple[bytes, ...], outcomes: list[bool], path: Path, scripts: list[Script]
) -> None:
    scripts.append(Script(path, GREETING, HELLO, THREE, b"250 stored\r\n250 stored\r\n"))
    ours = agent(path)
    assert together(ours, *commands) == outcomes
    ours.close()
    scripts[0].close()
    assert scripts[0].heard.count(b"RCPT") == 2


def test_where_one_mailbox_is_refused_before_the_message_none_has_it(path: Path, scripts: list[Script]) -> None:
    refused = b"250 ok\r\n250 ok\r\n550 5.1.1 unknown\r\n354 go\r\n"
    scripts.append(Script(path, GREETING, HELLO, refused, GREETING))
    ours = agent(path)
    assert together(ours, INBOX, OTHER) == [False, False]
    ours.close()
    scripts[0].close()
    assert b"dot" not in scripts[0].heard


def test_each_mailbox_has_an_answer_of_its_own(path: Path, scripts: list[Script]) -> None:
    """RFC 2033, 4.2. One that is full does not hold up the other; the next message has a new connection."""
    scripts.append(
        Script(path, GREETING, HELLO, THREE, b"452 4.2.2 full\r\n250 stored\r\n", GREETING, HELLO, READY, b"250 a\r\n")
    )
    ours = agent(path)
    assert together(ours, INBOX, COMMAND) == [False, True]
    assert delivers(ours, INBOX)
    assert scripts[0].connections == 2
    ours.close()


def test_a_server_that_is_gone_between_two_answers_may_have_the_second(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, THREE, b"250 stored\r\n25"))
    first, second = together(agent(path), INBOX, COMMAND)
    assert first is True
    assert isinstance(second, str)
    assert second.startswith(f"{COMMAND.decode()}: whether Dovecot has stored it is not known: ")
