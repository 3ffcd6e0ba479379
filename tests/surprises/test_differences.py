"""What else differs from fdm 2.2 on purpose, and what is as in fdm although one might think otherwise."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
from pathlib import Path

import pytest

from tests import system
from tests.surprises.stage import ACCOUNT, MAIL, WORDS, Stage

STDOUT = "match all action stdout"


def test_nul_is_kept(stage: Stage) -> None:
    mail = b"Subject: a\0b\n\nc\0d\n"
    ours, theirs = stage.both("set no-received\n" + STDOUT, mail)
    assert (ours.out, theirs.out) == (mail, b"Subject: a\n\nc\n")


@pytest.mark.parametrize("item", ['maildir "%1"', 'mbox "%1"', 'write "%1"', 'append "%1"'])
def test_nul_never_gets_into_a_path(item: str, stage: Stage) -> None:
    ours = stage.ours(f'match "^Subject: (.*)" action {item}', b"Subject: a\0b\n\nx\n")
    assert (ours.status, (ours.folder / "ab").exists(), ours.log) == (0, True, "")


def test_a_line_may_be_as_long_as_the_message(stage: Stage) -> None:
    mail = b"A: 1\n\n" + b"x" * (17 << 20)
    ours, theirs = stage.both('set maximum-size 20m\nmatch all action write "in"', mail)
    assert (ours.status, (ours.read("in") or b"").endswith(mail + b"\n")) == (0, True)
    assert (theirs.status, theirs.log.splitlines()[0]) == (1, "stdin: io: maximum line length exceeded")


@pytest.mark.parametrize("received", ["", "set no-received\n"])
@pytest.mark.parametrize(
    "mail",
    [
        MAIL.removesuffix(b"\n"),
        b"\n",
        b"x",
        b"From me Mon Mar  2 10:00:00 2020\n" + MAIL,
        b"From me, without an empty line\n",
        b">From me\n" + MAIL,
        b"A: 1\nreceived: here\nB: 2\nReceived: there\n\nx\n",
        b"A: 1\r\nB: 2\n\nx\r\ny\rz",
    ],
)
def test_a_message_is_taken_in_as_fdm_does(mail: bytes, received: str, stage: Stage) -> None:
    assert stage.agree(received + STDOUT, mail).out


def test_blanks_before_a_path_belong_to_it_unless_a_home_follows(stage: Stage) -> None:
    ours = stage.agree('match all action { write "  in" write "  ~/home" }', MAIL, "-h")
    assert ours.read("  in")
    assert ours.read("home/home")


FAULTS = {
    "a fault of the configuration": "match",
    "no such account": STDOUT,
    "a fault of the command line": STDOUT,
    "no rule": "",
    "no account": STDOUT,
    "no configuration": STDOUT,
    "a held lock": 'set lock-file "lock"\n' + STDOUT,
    "two accounts": 'account "two" stdin\n' + STDOUT,
    "too big": "set maximum-size 1k\n" + STDOUT,
    "nobody wants it": 'match "nosuch" action stdout',
}
CALLS = {
    "no such account": (*WORDS, "-a", "nosuch", "fetch"),
    "a fault of the command line": (*WORDS, "-z", "fetch"),
    "no configuration": ("-m", "-f", "nosuch", "fetch"),
    "a held lock": ("-f", "conf", "fetch"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_standard_input_is_read_to_its_end_whatever_is_wrong(fault: str, stage: Stage, tmp_path: Path) -> None:
    mail = MAIL + b"x" * (1 << 20)
    (tmp_path / "mail").write_bytes(mail)
    descriptor = os.open(tmp_path / "mail", os.O_RDONLY)
    first = stage.ours("", account="")
    with (first.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ours = stage.ours_on(
            os.dup(descriptor),
            FAULTS[fault],
            again=first,
            account="" if fault == "no account" else ACCOUNT,
            call=CALLS.get(fault, (*WORDS, "fetch")),
        )
    # The two descriptors share their offset.
    assert (ours.status, os.lseek(descriptor, 0, os.SEEK_CUR)) == (75, len(mail)), ours.log
    os.close(descriptor)
    assert ours.log


@pytest.mark.parametrize(("conf", "status"), [("match", 1), (STDOUT, 75)])
def test_a_terminal_is_not_read(conf: str, status: int, stage: Stage) -> None:
    ours_end, their_end = pty.openpty()
    # Whoever read from it would wait for ever.
    ours = stage.ours_on(their_end, conf)
    os.close(ours_end)
    assert ours.status == status
    if conf == STDOUT:
        assert ours.log.startswith("stdin: stdin is a tty. ignoring\nstdin: fetching error. aborted\n")


@pytest.mark.parametrize(("words", "status"), [((), 75), (("--fdm-exit-status",), 1)])
def test_a_fault_of_ours_is_told_in_full_and_the_message_stays(
    words: tuple[str, ...], status: int, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("rulesmith.mail.header.boundary", fault)
    ours = stage.ours(STDOUT, MAIL, *words)
    assert (ours.status, ours.out) == (status, b"")
    assert ours.log.startswith("Traceback (most recent call last):\n")
    assert ours.log.endswith("\nZeroDivisionError: a fault of ours\n")


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_signal_ends_a_run_and_its_command_and_the_message_stays(name: str, stage: Stage) -> None:
    ours = stage.ours(f'match all action pipe "echo $$ >pid; kill -{name} $PPID; exec sleep 60"')
    assert (ours.status, ours.log) == (75, f"parent: caught SIG{name}. stopping\n")
    with pytest.raises(OSError, match="No such process") as gone:
        os.kill(int(ours.read("pid") or b""), 0)
    assert gone.value.errno == errno.ESRCH


def test_a_user_whom_the_system_does_not_know_keeps_his_mail(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    system.replace(monkeypatch, "getuid", lambda: 123456)
    ours = stage.ours(STDOUT)
    assert (ours.status, ours.log) == (75, "unknown user: 123456\n")


def test_a_usage_error_of_a_check_or_another_command_waits_for_no_message(stage: Stage) -> None:
    ours_end, their_end = os.pipe()
    for call in (("-n", "-f", "conf", "fetch"), ("poll", "x"), ("-n", "-z")):
        # Nobody ever closes the other end.
        assert stage.ours_on(os.dup(ours_end), STDOUT, call=call).status == 1
    os.close(ours_end)
    os.close(their_end)
