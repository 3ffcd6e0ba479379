"""Where log lines go (fdm(1), -l -q -v)."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from rulesmith.log import Log


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
