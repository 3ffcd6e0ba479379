"""What the real fetchmail says, understood: polls that find nothing, IDLE, and every kind of trouble."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rulesmith.container.fetching import Fetching, cut_run_on
from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.chain.dovecot import PASSWORD, Dovecot
from tests.parts import needed

USER = "user@example.com"
GOOD = b"From: a@b\nSubject: hi\nMessage-ID: <1@b>\n\nbody\n"
BAD = b"From: a@b\nthis is no header line\nSubject: bad\n\nbody\n"
# A pipe between us and what fetchmail says would not end with it: its mda may live longer.
_COMMAND = (
    "exec fetchmail -f ~/fetchmailrc --pidfile ~/fetchmail.pid --nodetach --nosyslog --verbose -d {interval}"
    " >/run/said 2>&1"
)


class Post:
    """A provider with one mailbox, and fetchmail that polls it."""

    def __init__(self, folder: Path) -> None:
        self.bed = Bed()
        authority = Authority(folder)
        (self.bed.folder / "config" / "authority.pem").write_bytes(authority.path.read_bytes())
        self.provider = Dovecot(self.bed, "provider", authority.issue("good"), mail="provider")
        self.said = self.bed.folder / "run" / "said"
        self.fetching = Fetching(time.time())
        self.log: list[str] = []
        self.process: int | None = None

    def put(self, *messages: bytes) -> None:
        self.provider.clear()
        self.add(*messages)

    def add(self, *messages: bytes) -> None:
        maildir = self.provider.mail / USER / "Maildir"
        for part in ("tmp", "new"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        names = [f"{number}.a.provider" for number in range(len(messages))]
        for name, message in zip(names, messages, strict=True):
            (maildir / "tmp" / name).write_bytes(message)
        self.bed.own(self.provider.mail)
        # Who waits for it finds it whole.
        for name in names:
            (maildir / "tmp" / name).rename(maildir / "new" / name)

    def start(self, options: str = "", mda: str = "cat >/dev/null", interval: int = 60, **words: str) -> None:
        words = {"poll": "localhost", "port": f"protocol IMAP port {self.provider.imaps}", "password": PASSWORD} | words
        rc = self.bed.home / "fetchmailrc"
        rc.write_text(
            f"poll {words['poll']} {words['port']}\n user '{USER}' there with password '{words['password']}'"
            f' ssl {words.get("tls", "sslcertfile /config/authority.pem")} keep {options} mda "{mda}"\n'
        )
        rc.chmod(0o600)
        self.bed.own(self.bed.home)
        self.said.write_bytes(b"")
        self.bed.own(self.said.parent)
        self.fetching, self.log = Fetching(time.time()), []
        self.at = 0
        self.process = self.bed.begin("sh", "-c", _COMMAND.format(interval=interval))

    def until(self, ask: Callable[[Fetching], object], seconds: float = 90.0) -> Fetching:
        """Read what is said until the state is so."""
        end = time.monotonic() + seconds
        while True:
            *lines, _ = self.said.read_bytes()[self.at :].split(b"\n")
            for line in lines:
                self.at += len(line) + 1
                for piece in cut_run_on(line.decode()):
                    self.log += self.fetching.feed(piece, time.time())
                if ask(self.fetching):
                    return self.fetching
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.02)

    def error(self, kind: str, seconds: float = 90.0) -> str:
        """The words for a trouble of this kind, which is logged as it is."""
        polled = next(iter(self.until(lambda found: found.troubles.get(kind), seconds).polled.values()))
        assert polled.kind == kind
        assert polled.error in self.log
        return polled.error

    def end(self) -> None:
        if self.process is not None:
            self.bed.signal(self.process, signal.SIGTERM)
            self.bed.wait(self.process)
            self.process = None


@pytest.fixture(scope="module")
def _post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    made = needed(Post, tmp_path_factory.mktemp("authority"))
    yield made
    made.bed.close()


@pytest.fixture
def post(_post: Post) -> Iterator[Post]:
    _post.put()
    yield _post
    _post.end()


def _success(found: Fetching) -> bool:
    return any(each.success for each in found.polled.values())


def test_a_poll_that_finds_nothing_is_a_success(post: Post) -> None:
    before = time.time()
    post.start(interval=7)
    found = post.until(lambda found: found.interval)
    assert found.interval == 7
    (polled,) = found.polled.values()
    assert (polled.server, polled.idle, polled.failing, polled.error) == ("localhost", False, 0, "")
    assert before <= polled.success <= time.time()
    # All that a person is told of it.
    assert post.log[-1] == "fetching from localhost works"
    assert len(post.log) == 1


def test_later_polls_say_nothing_while_all_is_well(post: Post) -> None:
    post.start(interval=1)
    found = post.until(lambda found: found.polls >= 3)
    assert post.log.count("fetching from localhost works") == 1
    assert len(post.log) <= 2
    assert found.troubles == {}


def test_a_poll_by_pop3_too(post: Post) -> None:
    post.put(GOOD)
    post.start(port=f"protocol POP3 port {post.provider.pop3s}")
    post.until(_success)
    assert "1 new message at localhost" in post.log
    assert not [line for line in post.log if not re.match(r"starting|fetching from|1 new", line)]


def test_idle_is_a_success_at_once_and_mail_is_told(post: Post) -> None:
    post.start("idle")
    found = post.until(_success)
    (polled,) = found.polled.values()
    assert polled.idle
    polled.success = 1.0
    post.add(GOOD)
    post.until(lambda _: "1 new message at localhost" in post.log)
    assert polled.success > 1


def test_idle_that_is_broken_off_is_not_idle(post: Post) -> None:
    post.put(GOOD)
    post.start("idle", mda="cat >/dev/null; exit 75")
    # fetchmail leaves IDLE for a mail that is not taken, and sleeps.
    found = post.until(lambda found: found.interval)
    (polled,) = found.polled.values()
    assert not polled.idle
    assert polled.success
    assert polled.kind == "delivery"


@pytest.mark.parametrize(
    ("mda", "words"),
    [
        ("cat >/dev/null; exit 75", "failed with status 75: the message stays on localhost"),
        ("cat >/dev/null; kill -9 $$", "was killed by signal 9: the message stays on localhost"),
        ("exit 75", "the mda of fetchmailrc "),
    ],
)
def test_an_mda_that_fails_is_told_but_the_poll_worked(post: Post, mda: str, words: str) -> None:
    post.put(GOOD)
    post.start(mda=mda)
    assert words in post.error("delivery")
    found = post.until(_success)
    assert next(iter(found.polled.values())).failing == 0


# What fetchmail 6.4.39 says where `rulesmith serve` is its server.
NOT_NOW = """\
fetchmail: LMTP< 220 b0a3 LMTP rulesmith
fetchmail: LMTP> RCPT TO:<fetch:user@example.com:0>
fetchmail: LMTP< 450 4.1.1 there is no such user
fetchmail: LMTP error: 450 4.1.1 there is no such user
 not flushed
"""
NOBODY = """\
fetchmail: LMTP connect to /run/serve/lmtp failed
fetchmail: SMTP transaction error while fetching from x@a and delivering to SMTP host /run/serve/lmtp
"""
TAKEN = """\
fetchmail: LMTP> DATA
fetchmail: LMTP< 354 end with a line that is a dot
fetchmail: LMTP>. (EOM)
fetchmail: LMTP< 250 2.0.0 it is safe
 not flushed
"""


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        (TAKEN, "", []),
        (
            NOT_NOW,
            "",
            ["rulesmith does not take a message now (450 4.1.1 there is no such user): it stays on a and is"],
        ),
        (
            NOBODY,
            "fetchmail: Query status=10 (SMTP)",
            ["the service `serve` does not answer: messages stay on a and are", "a: the local mail server does not"],
        ),
    ],
)
def test_a_server_that_does_not_take_a_message_is_told(said: str, status: str, told: list[str]) -> None:
    fetching = Fetching(0)
    poll = "fetchmail: 6.4.39 querying a (protocol IMAP) at X: poll "
    lines = [f"{poll}started", *said.splitlines(), f"{poll}completed", *([status] if status else [])]
    shown = [each for line in lines for each in fetching.feed(line, 1.0)]
    assert [text.startswith(begin) for text, begin in zip(shown, told, strict=True)] == [True] * len(told), shown
    assert fetching.troubles.get("delivery", 0) == len(told)


def test_a_message_that_fetchmail_refuses_is_named(post: Post) -> None:
    post.put(GOOD, BAD, GOOD)
    post.start()
    assert "write `bad-header accept` behind `poll localhost` in fetchmailrc" in post.error("refused")
    found = post.until(_success)
    (refused,) = found.refused
    assert (refused["message"], refused["line"]) == ("2 of 3", "this is no header line")
    # ... and with what it says the message comes.
    post.end()
    post.put(BAD)
    post.start(poll="localhost bad-header accept")
    found = post.until(_success)
    assert found.troubles == {}


def test_a_login_that_is_refused(post: Post) -> None:
    post.start(password="wrong", interval=1)
    error = post.error("login")
    assert error.startswith("localhost refuses the login")
    assert "check user and password" in error
    assert not any(each.success for each in post.fetching.polled.values())


def test_a_certificate_that_is_not_trusted(post: Post) -> None:
    post.start(tls="")
    assert re.match(r"the certificate of localhost is not trusted: .*issuer", post.error("tls"))


def test_without_sslcertck_the_certificate_is_not_the_trouble(post: Post) -> None:
    post.start(tls="no sslcertck", poll="provider via 127.0.0.1", password="wrong", interval=1)
    assert post.error("login").startswith("provider refuses the login")
    warnings = [line for line in post.log if "insecure" in line]
    assert len(warnings) == 1
    post.until(lambda found: found.polls >= 2)
    assert [line for line in post.log if "insecure" in line] == warnings


def test_a_certificate_of_somebody_else(post: Post) -> None:
    post.start(poll="provider via 127.0.0.1")
    assert re.match(r"the certificate of provider is (for another name|not trusted)", post.error("tls"))


def test_a_server_that_is_down_and_comes_back(post: Post) -> None:
    post.start(port="protocol IMAP port 1", interval=1)
    post.until(lambda found: found.troubles.get("network", 0) >= 2)
    assert "no connection to localhost:1: Connection refused" in post.log
    assert next(iter(post.fetching.polled.values())).failing >= 2
    post.end()
    before = post.fetching
    post.start()
    # The process that comes after goes on with what was known.
    before.feed("fetchmail: starting fetchmail 6.4.37 daemon", time.time())
    post.fetching = before
    post.until(_success)
    assert any(re.match(r"fetching from localhost works again, after \d+ failures", line) for line in post.log)


def test_a_name_that_nobody_has(post: Post) -> None:
    post.start(poll="mail.nowhere.invalid")
    assert post.error("network").startswith("the name mail.nowhere.invalid is not found")


def test_a_folder_that_is_not_there(post: Post) -> None:
    post.start("folder Nothere")
    assert re.match(r"localhost does not open the folder \(.*Nothere.*\)", post.error("server"))


def test_a_file_that_fetchmail_does_not_understand_shows_no_password(post: Post) -> None:
    post.start(password="x' hunter2hunter2 '")
    assert post.error("configuration") == "fetchmailrc, line 2: a syntax error"
    assert not any("hunter2" in line for line in post.log)


def test_nothing_of_the_protocol_is_told(post: Post) -> None:
    post.put(GOOD, GOOD.replace(b"1@b", b"2@b"))
    post.start("idle")
    post.until(lambda found: any(each.idle for each in found.polled.values()))
    assert "IMAP> " in post.said.read_text()
    assert all(re.match(r"starting fetchmail |fetching from |\d new messages? at ", line) for line in post.log)
