"""Which commands go to Dovecot's LMTP server, and what becomes of those that it does not take.

tests/chain/test_set_dovecot.py has it on the real Dovecot.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rulesmith.delivery import command as commands
from rulesmith.delivery import dovecot
from rulesmith.delivery.connection import Connection
from rulesmith.delivery.dovecot import Agent, changes, sender_of, target
from rulesmith.delivery.drive import Driver
from rulesmith.effects import RUN, Failure
from tests.worlds import a_world

# It is ourselves for whom it is delivered.
USER = (b"me", os.geteuid(), os.getegid(), b"/")
D = b"/usr/libexec/dovecot/deliver"
MAIL = b"Return-Path: <a@example.org>\nSubject: x\n\n.dot\n"
COMMAND = D + b" -d user@example.com -m Received"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (D + b" -d user@example.com", (b"user@example.com", b"")),
        (D + b" -d user@example.com -m Received", (b"user@example.com", b"Received")),
        (D + b" -m Received -d user@example.com ", (b"user@example.com", b"Received")),
        (b"/usr/lib/dovecot/dovecot-lda -d user", (b"user", b"")),
        (D + b" -d 'user@example.com' -m \"Lists.py\"", (b"user@example.com", b"Lists.py")),
        (D + b" -d user@example.com -m Lists/py", (b"user@example.com", b"Lists/py")),
        (b"deliver -d user", None),
        (b"/usr/bin/deliver -d user", None),
        (D, None),
        (D + b" -m Received", None),
        (D + b" -d User@example.com", None),
        (D + b" -d user+x@example.com", None),
        (D + b" -d user -d other", None),
        (D + b" -d user -m 'a b'", None),
        (D + b' -d user -m "it\'s"', None),
        (D + b" -d user -m a..b", None),
        (D + b" -d user -m .a", None),
        (D + b" -d user -m ''", None),
        (D + b" -d user -m \xc3\xa4", None),
        (D + b" -d user -m $FOLDER", None),
        (D + b' -d user -m "$FOLDER"', None),
        (D + b" -d user -m `id`", None),
        (D + b" -d user -e", None),
        (D + b" -d user -f a@x", None),
        (D + b" -d user; true", None),
        (D + b" -d user || true", None),
        (D + b" -d user >/dev/null", None),
        (D + b" -d user\ntrue", None),
        (b"cat | " + D + b" -d user", None),
    ],
)
def test_only_a_plain_delivery_goes_there(command: bytes, found: tuple[bytes, bytes] | None) -> None:
    assert target(command) == found


_COMMAND = re.compile(
    rb"[ \t]*/usr/(?:libexec|lib)/dovecot/(?:deliver|dovecot-lda)"
    rb"((?:[ \t]+-[dm][ \t]+(?:[\w@.%+=:,/-]+|'[^'\n]*'|\"[^\"\\$`\n]*\"))+)[ \t]*",
    re.ASCII,
)
_OPTION = re.compile(rb"-([dm])[ \t]+(?:'([^']*)'|\"([^\"]*)\"|([^ \t]+))")
_USER = re.compile(rb"[a-z0-9][a-z0-9._-]*(?:@[a-z0-9.-]+)?")
_FOLDER = re.compile(rb"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")


def by_regexp(command: bytes) -> tuple[bytes, bytes] | None:
    """What `target` says, by regexps."""
    found = _COMMAND.fullmatch(command)
    if found is None:
        return None
    values: dict[bytes, bytes] = {}
    for option, single, double, plain in _OPTION.findall(found[1]):
        if option in values:
            return None
        values[option] = single or double or plain
    user, folder = values.get(b"d", b""), values.get(b"m", b"")
    if not _USER.fullmatch(user) or not (b"m" not in values or _FOLDER.fullmatch(folder)):
        return None
    return user, folder


_BLANK = st.sampled_from([b" ", b"\t", b"  "])
_SIGN = st.sampled_from([b"a", b"Z", b"0", b"_", *(bytes([octet]) for octet in b"-.@+/%=:,'\"\\$`;|&~*\n\r \t\0\xe4")])
_PROGRAM = st.sampled_from([D, b"/usr/lib/dovecot/dovecot-lda", b" " + D])
_USERS = st.sampled_from([b"user", b"user@example.com", b"u.s_e-r@h"])
_FOLDERS = st.sampled_from([b"Received", b"a.b", b"A/b-c_d", b"-m"])
_QUOTES = st.sampled_from([b"%s", b"'%s'", b'"%s"'])


@st.composite
def commands_nearly_right(draw: st.DrawFn) -> bytes:
    """Right ones, with a sign more, less or changed here and there."""
    options = [(b"-d", draw(_USERS)), (b"-m", draw(_FOLDERS))][: draw(st.integers(0, 2))]
    if draw(st.booleans()):
        options.reverse()
    words = (draw(_BLANK) + flag + draw(_BLANK) + draw(_QUOTES) % value for flag, value in options)
    line = draw(_PROGRAM) + b"".join(words) + draw(st.sampled_from([b"", b"\t"]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.one_of(st.just(b""), _SIGN)) + line[at + draw(st.integers(0, 1)) :]
    return line


@given(st.one_of(commands_nearly_right(), st.binary()))
@example(D + b" -d 'user'-m a")
@example(D + b" -d user'x'")
@example(D + b" -d -m -m -d")
@example(D + b" -d '-m a'")
@example(D + b" -m 'a\tb' -d user")
@example(D + b" -d user -m")
@example(D + b" -d ")
def test_a_command_is_read_as_a_regexp_would_read_it(command: bytes) -> None:
    assert target(command) == by_regexp(command)


_BEGIN = re.compile(rb"[!-9;-~]+:")
_SENDER = re.compile(rb"<([A-Za-z0-9.!#$&*+/=?^_{}~-]+@[A-Za-z0-9.-]+)>")


@given(st.one_of(st.binary(), st.text("aA-: \t\n\r\x00\x1f!~\x7f").map(str.encode)))
def test_a_message_begins_as_a_regexp_would_say(raw: bytes) -> None:
    assert changes(raw + b"\n") == (not _BEGIN.match(raw + b"\n") or b"\r" in raw or b"\0" in raw)


@given(st.text('aZ0.@<> !+~-"(\t\x0b\x7f\xe4').map(lambda text: text.encode("latin-1")))
@example(b"<a@b>")
@example(b" <a@b>\t")
@example(b"<a@b@c>")
@example(b"<>")
@example(b"<@b>")
@example(b"<")
def test_a_sender_is_read_as_a_regexp_would_read_it(value: bytes) -> None:
    found = _SENDER.fullmatch(value.strip())
    assert sender_of(b"Return-Path: " + value + b"\n\nx\n") == (found[1] if found else b"")


class Script:
    """A server that says what it is told to, whatever it hears; `heard` is that."""

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
            client, _ = self._socket.accept()
            self.connections += 1
            with client:
                while self._replies:
                    reply = self._replies.pop(0)
                    if not reply:
                        break
                    client.sendall(reply)
                    if reply.startswith(b"9"):
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
        self._replies.clear()
        self._thread.join(10)
        self._socket.close()


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


def test_a_message_is_handed_over_and_the_connection_kept(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", READY, b"250 stored\r\n"))
    ours = agent(path)
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    assert ours.deliver(D + b" -d user@example.com", MAIL, USER, a_world())
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
    assert not ours.deliver(COMMAND, MAIL, USER, a_world())
    ours.close()


def test_where_nobody_listens_the_command_is_run(path: Path) -> None:
    assert not agent(path).deliver(COMMAND, MAIL, USER, a_world())


def test_a_server_that_stands_still_is_not_waited_for_as_long_as_it_has_no_message(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dovecot, "_PATIENCE", 0.01)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        since = time.monotonic()
        assert not agent(path).deliver(COMMAND, MAIL, USER, a_world())
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
        assert ours.deliver(COMMAND, MAIL, USER, a_world())
    ours.close()
    assert limits == [5, a_world().settings["timeout"]] * 2


def test_without_a_socket_nobody_is_asked() -> None:
    assert not Agent(b"", True).deliver(COMMAND, MAIL, USER, a_world())


def test_where_a_detail_is_no_folder_the_command_is_run(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path, folders=False)
    assert not ours.deliver(COMMAND, MAIL, USER, a_world())
    assert ours.deliver(D + b" -d user@example.com", MAIL, USER, a_world())
    ours.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_again(path: Path, scripts: list[Script]) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n", b"", GREETING, HELLO, READY, b"250 ok\r\n"))
    ours = agent(path)
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    assert scripts[0].connections == 2
    ours.close()


def test_a_server_that_is_gone_before_it_answers_may_have_the_message(path: Path, scripts: list[Script]) -> None:
    """So neither does the command deliver it a second time, nor is it called delivered."""
    scripts.append(Script(path, GREETING, HELLO, READY, b""))
    with pytest.raises(Failure, match="whether Dovecot has stored it is not known: connection unexpectedly closed"):
        agent(path).deliver(COMMAND, MAIL, USER, a_world())


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
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    # It was the same connection, so nothing of the first answer was left over.
    assert scripts[0].connections == 1
    assert not ours.deliver(COMMAND, MAIL, USER, a_world())
    ours.close()


@pytest.mark.parametrize("answer", [b"garbage\r\n", b"354 go on\r\n", b"2500 ok\r\n", b"\r\n", b"250-a\r\ngarbage\r\n"])
def test_an_answer_that_means_nothing_may_mean_that_it_is_stored(
    answer: bytes, path: Path, scripts: list[Script]
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, answer))
    with pytest.raises(Failure, match="whether Dovecot has stored it is not known: it answered"):
        agent(path).deliver(COMMAND, MAIL, USER, a_world())


@pytest.mark.parametrize(
    "mail",
    [b"", b"\nbody\n", b" folded\n\nx\n", b"From x\nA: b\n\nx\n", b"A: b\r\n\r\nx\r\n", b"A: b\n\n\0\n", b"A: b\n\nx"],
)
def test_a_message_that_lmtp_would_change_is_left_to_the_command(
    mail: bytes, path: Path, scripts: list[Script]
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path)
    assert not ours.deliver(COMMAND, mail, USER, a_world())
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    ours.close()


def test_root_leaves_to_the_command_what_is_for_somebody_else(
    path: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts.append(Script(path, GREETING, HELLO, READY, b"250 stored\r\n"))
    ours = agent(path)
    with monkeypatch.context() as root:
        root.setattr(dovecot, "must_switch", lambda user: user != USER)
        assert not ours.deliver(COMMAND, MAIL, (b"someone", 1000, 1000, b"/"), a_world())
    assert ours.deliver(COMMAND, MAIL, USER, a_world())
    ours.close()
