"""Where log lines go (fdm(1), -l -q -v)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith import log as logs
from rulesmith.log import Log


@pytest.fixture
def syslog_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A syslogd, but for what the C library makes of it."""
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        monkeypatch.setattr(logs, "_SOCKET", str(path))
        yield listener


def test_warnings_and_details_go_to_standard_error_and_information_to_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = Log(level=1)
    log.warn("a warning")
    log.info("information")
    log.debug(1, "a detail")
    log.debug(2, "too much")
    out, err = capfd.readouterr()
    assert (out, err) == ("information\n", "a warning\na detail\n")


def test_quiet_leaves_only_warnings_whatever_the_level(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log(level=4, quiet=True)
    log.warn("a warning")
    log.info("information")
    log.debug(1, "a detail")
    assert capfd.readouterr() == ("", "a warning\n")


def test_octets_that_are_no_text_come_out_as_they_came_in(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Log().warn(b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert capfdbinary.readouterr().err == b"caf\xe9\n"


def test_a_closed_standard_error_decides_nothing(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os.close(2)
        Log().warn("to nobody")
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.usefixtures("syslog_listens")
@pytest.mark.parametrize(
    ("say", "priority"),
    [
        (lambda log: log.warn("text"), 2),
        (lambda log: log.info("text"), 6),
        (lambda log: log.debug(1, "text"), 7),
    ],
)
def test_with_l_all_goes_to_syslog_as_mail_with_fdms_ident(
    say: object, priority: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import syslog

    opened: list[tuple[object, ...]] = []
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *args: opened.append(args))
    monkeypatch.setattr(syslog, "syslog", lambda level, text: sent.append((level, text)))
    say(Log(level=1, ident="fdm"))  # type: ignore[operator]
    assert opened == [("fdm", syslog.LOG_PID, syslog.LOG_MAIL)]
    assert sent == [(priority, "text")]
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("syslog_listens")
def test_what_syslog_cannot_take_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import syslog

    sent: list[str] = []
    monkeypatch.setattr(syslog, "openlog", lambda *_: None)
    monkeypatch.setattr(syslog, "syslog", lambda _, text: sent.append(text))
    Log(ident="fdm").warn("a\0b" + b"\xff".decode("utf-8", "surrogateescape"))
    assert sent == ["a\\0b?"]


def test_a_full_pipe_is_written_to_its_end() -> None:
    """A log line longer than the pipe goes out whole, in several writes."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    child = os.fork()
    if child == 0:
        theirs.close()
        os.dup2(ours.fileno(), 2)
        Log().warn("x" * 200_000)
        os._exit(0)
    ours.close()
    got = 0
    while chunk := theirs.recv(65536):
        got += len(chunk)
    os.waitpid(child, 0)
    theirs.close()
    assert got == 200_001


@pytest.mark.parametrize("left", ["nothing", "a socket of a syslogd that is gone"])
def test_with_l_and_no_syslogd_all_goes_to_standard_error(
    left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    if left != "nothing":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(path))
    monkeypatch.setattr(logs, "_SOCKET", str(path))
    log = Log(level=1, ident="fdm")
    log.warn("a warning")
    log.info("information")
    log.debug(1, "a detail")
    assert capfd.readouterr() == ("", "a warning\ninformation\na detail\n")


# Inside namespaces where /dev holds nothing but a syslogd of ours.
_REAL = """
import os, socket, subprocess, sys
open("/dev/null", "w").close()
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/dev/log")
listener.settimeout(30)
from rulesmith.log import Log
Log(ident="fdm").warn("a warning")
print(listener.recv(1000).decode(), end="", flush=True)
"""


def test_with_l_a_real_syslogd_hears_it() -> None:
    space = ["unshare", "--user", "--map-root-user", "--mount", "--"]
    if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        space = ["unshare", "--mount", "--"]
        if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
            pytest.skip("no mount namespace to be had here")
    done = subprocess.run(
        [*space, "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh", sys.executable, "-c", _REAL],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stderr == ""
    # Facility mail, critical.
    assert done.stdout.startswith("<18>")
    assert "fdm[" in done.stdout
    assert done.stdout.endswith(": a warning")
