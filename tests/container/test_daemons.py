"""Each daemon is asked in its own protocol: the real ones, ones that are gone, ones that hang or talk nonsense."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rulesmith.container import daemons, delivery
from rulesmith.container.daemons import Doors, NoAnswer
from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.chain.dovecot import Dovecot
from tests.parts import needed
from tests.scan.rspamd import Rspamd

RULES = Path(__file__).parents[1] / "scan" / "rules.lua"
PATIENCE = 120.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers does so, however late on a busy machine."""
    monkeypatch.setattr(daemons, "PATIENCE", PATIENCE)
    for check in (daemons.imap, daemons.delivery, daemons.rspamd, daemons.redis, daemons.serve):
        assert check.__defaults__ is not None
        monkeypatch.setattr(check, "__defaults__", (*check.__defaults__[:-1], PATIENCE))
    monkeypatch.setattr(daemons.ready, "__defaults__", (False, PATIENCE))


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    bed = needed(Bed)
    yield Dovecot(bed, "dovecot", Authority(tmp_path_factory.mktemp("authority")).issue("good"), mail="vmail")
    bed.close()


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    made = needed(Rspamd, RULES)
    yield made
    made.close()


class Pretender:
    """A unix socket that greets and answers with these octets, or hangs."""

    def __init__(self, greeting: bytes, answer: bytes = b"", hangs: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="door-"))
        self.path = self.folder / "door"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._greeting, self._answer, self._hangs = greeting, answer, hangs
        self._links: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._links.append(link)
            if self._hangs:
                continue
            link.sendall(self._greeting)
            if self._answer and link.recv(4096):
                link.sendall(self._answer)
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for link in self._links:
            link.close()
        shutil.rmtree(self.folder)


@pytest.fixture
def pretend() -> Iterator[Callable[..., Path]]:
    made: list[Pretender] = []

    def make(greeting: bytes, answer: bytes = b"", hangs: bool = False) -> Path:
        made.append(Pretender(greeting, answer, hangs))
        return made[-1].path

    yield make
    for each in made:
        each.close()


def test_the_real_dovecot_greets(dovecot: Dovecot) -> None:
    daemons.imap(("127.0.0.1", dovecot.imap), tls=False)
    daemons.imap(("127.0.0.1", dovecot.imaps), tls=True)


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match=r"port \d+: Connection refused"):
            daemons.imap(holder.getsockname(), tls=False)


def test_tls_that_is_no_tls(dovecot: Dovecot) -> None:
    with pytest.raises(NoAnswer, match="port "):
        daemons.imap(("127.0.0.1", dovecot.imap), tls=True)


def test_the_real_dovecot_takes_deliveries_and_stores_nothing(dovecot: Dovecot) -> None:
    daemons.delivery(dovecot.run / "auth-userdb", dovecot.socket)
    assert not dovecot.mail.exists() or not list(dovecot.mail.iterdir())


def test_a_dovecot_that_cannot_read_its_list_of_users(dovecot: Dovecot, pretend: Callable[..., Path]) -> None:
    userdb = pretend(b"VERSION\tauth-master\t1\t2\nSPID\t7\n", b"FAIL\t1\treason=internal failure\n")
    with pytest.raises(NoAnswer, match="list of users cannot be read"):
        daemons.delivery(userdb, dovecot.socket)
    userdb = pretend(b"VERSION\tauth-master\t1\t2\nSPID\t7\n", b"NOTFOUND\t1\n")
    daemons.delivery(userdb, dovecot.socket)
    with pytest.raises(NoAnswer, match="not as it should: 421 later"):
        daemons.delivery(pretend(b"VERSION\t1\t1\n", b"NOTFOUND\t1\n"), pretend(b"421 later\r\n"))


def test_the_real_rspamd_and_redis(rspamd: Rspamd) -> None:
    daemons.rspamd(rspamd.folder / "normal")
    daemons.redis(rspamd.folder / "redis")


@pytest.mark.parametrize("check", [daemons.rspamd, daemons.redis, lambda *a: daemons.delivery(a[0], a[0], *a[1:])])
def test_a_socket_that_is_gone_or_hangs(
    check: Callable[..., None], pretend: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(NoAnswer, match="No such file"):
        check(tmp_path / "nothing")
    path = pretend(b"", hangs=True)
    before = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        check(path, 0.2)
    assert time.monotonic() - before < PATIENCE


@pytest.mark.parametrize(
    ("check", "greeting", "answer", "words"),
    [
        (daemons.rspamd, b"", b"HTTP/1.0 503 Busy\r\n\r\n", "not as rspamd"),
        (daemons.rspamd, b"", b"HTTP/1.0 200 OK\r\n\r\nhello", "not as rspamd"),
        (daemons.redis, b"", b"-LOADING Redis is loading the dataset in memory\r\n", "LOADING Redis is loading"),
        (daemons.redis, b"", b"hello\r\n", "hello"),
    ],
)
def test_an_answer_that_is_none(
    check: Callable[..., None], greeting: bytes, answer: bytes, words: str, pretend: Callable[..., Path]
) -> None:
    with pytest.raises(NoAnswer, match=words):
        check(pretend(greeting, answer))


def test_a_process_is_found_by_its_words() -> None:
    # Of this run: others of the same tests may be under way.
    words = ("rulesmith.container.nobody", f"has this {uuid.uuid4()}")
    with pytest.raises(NoAnswer):
        daemons.process(words, Path("/proc"))
    program = [sys.executable, "-c", "print(flush=True); input()", *words]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        # Before it speaks, its command line may not be there yet.
        assert started.stdout is not None
        assert started.stdout.readline() == b"\n"
        daemons.process(words, Path("/proc"))
        started.communicate(b"\n")


def test_a_sign_of_life_grows_old(tmp_path: Path) -> None:
    sign = tmp_path / "clerk"
    with pytest.raises(NoAnswer, match="does not run"):
        daemons.heartbeat(sign)
    sign.touch()
    daemons.heartbeat(sign)
    os.utime(sign, (1000, 1000))
    with pytest.raises(NoAnswer, match="no sign of life for 1000 seconds"):
        daemons.heartbeat(sign, now=2000)


def test_mail_is_fetched_when_it_can_be_scanned_and_delivered(dovecot: Dovecot, rspamd: Rspamd, tmp_path: Path) -> None:
    doors = Doors(userdb=dovecot.run / "auth-userdb", lmtp=dovecot.socket, rspamd=rspamd.folder / "normal")
    assert daemons.ready(doors) == ""
    assert daemons.ready(Doors(userdb=doors.userdb, lmtp=doors.lmtp, rspamd=tmp_path / "x")).startswith("rspamd: ")
    assert daemons.ready(Doors(userdb=doors.userdb, lmtp=tmp_path / "x", rspamd=doors.rspamd)).startswith("Dovecot: ")


def test_where_mail_goes_by_lmtp_it_waits_for_the_server(dovecot: Dovecot, rspamd: Rspamd, tmp_path: Path) -> None:
    doors = Doors(
        userdb=dovecot.run / "auth-userdb",
        lmtp=dovecot.socket,
        rspamd=rspamd.folder / "normal",
        serve=tmp_path / "serve",
    )
    assert daemons.ready(doors) == ""
    assert daemons.ready(doors, by_lmtp=True) == "rulesmith serve: No such file or directory"
    assert daemons.ask(doors, by_lmtp=True)["serve"] == "No such file or directory"
    # Another server of LMTP does as well.
    (tmp_path / "serve").symlink_to(dovecot.socket)
    assert daemons.ready(doors, by_lmtp=True) == ""
    assert daemons.ask(doors, by_lmtp=True)["serve"] == ""


@pytest.mark.parametrize(
    ("value", "by_lmtp"), [({}, False), ({"RULESMITH_DELIVERY": ""}, False), ({"RULESMITH_DELIVERY": "mda"}, False)]
)
def test_the_way_is_mda_unless_it_is_lmtp(value: dict[str, str], by_lmtp: bool) -> None:
    assert delivery.by_lmtp(value) == by_lmtp
    assert delivery.by_lmtp({"RULESMITH_DELIVERY": "lmtp"})
    for other in ("LMTP", "smtp", " lmtp"):
        with pytest.raises(ValueError, match=f"RULESMITH_DELIVERY is '{other}', but it can only be mda"):
            delivery.by_lmtp({"RULESMITH_DELIVERY": other})


def test_all_are_asked_though_one_is_gone(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    doors = Doors(
        ("127.0.0.1", 1), ("127.0.0.1", 1), nothing, nothing, nothing, nothing, processes=tmp_path, heartbeat=nothing
    )
    found = daemons.ask(doors)
    assert list(found) == ["dovecot", "rspamd", "redis", "queue", "keeper", "learner", "clerk"]
    assert all(found.values())
