from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from rulesmith.delivery import command, shell
from rulesmith.effects import Failure
from tests import system
from tests.recording import ME, RecordingWorld
from tests.started import commands_write_first, has_ended


def _run(
    text: bytes, stdin: bytes | None = None, output: bool = False, world: RecordingWorld | None = None
) -> tuple[int | None, bytes]:
    return command.run(text, stdin, ME, world or RecordingWorld(), output)


def _output(text: bytes, stdin: bytes | None = None) -> bytes:
    status, output = _run(text, stdin, output=True)
    assert status == 0
    return output


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while not has_ended(pid):
        assert time.monotonic() < deadline, f"process {pid} lives on"
        os.sched_yield()


@pytest.mark.parametrize("status", [0, 1, 75, 255])
def test_the_status_is_the_shells(status: int) -> None:
    assert _run(b"exit %d" % status) == (status, b"")


def test_what_is_not_there_is_status_127_with_the_shells_own_line() -> None:
    world = RecordingWorld()
    assert _run(b"/nonexistent/x", world=world) == (127, b"")
    assert len(world.warnings) == 1
    assert world.warnings[0].startswith(b"/nonexistent/x: sh: 1: /nonexistent/x: not found")


def test_death_by_a_signal_is_a_failure_in_fdms_words() -> None:
    with pytest.raises(Failure) as failure:
        _run(b"kill -PIPE $$")
    assert failure.value.text == "kill -PIPE $$: child got signal: 13"


def test_every_octet_goes_in_and_comes_out() -> None:
    octets = bytes(range(256)) * 3
    assert _output(b"cat", octets) == octets


def test_much_goes_in_and_out_at_once() -> None:
    octets = os.urandom(1 << 20) * 8
    assert _output(b"cat", octets) == octets


@pytest.mark.parametrize("text", [b":", b"exec <&-; :", b"head -c 10 >/dev/null"])
def test_a_command_that_does_not_read_is_no_error(text: bytes) -> None:
    assert _run(text, b"x" * 1_000_000) == (0, b"")


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_all_of_stdin_is_there_before_the_command_is(size: int) -> None:
    """Or the end of a rulesmith that is killed would be taken for the end of the message."""
    opened: list[int] = []
    octets = os.urandom(size)
    descriptor = shell._holding(octets, opened)
    assert opened == [descriptor]
    with open(descriptor, "rb") as whole:
        assert whole.read() == octets


def test_without_room_for_a_large_stdin_the_command_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nosuch"))
    with pytest.raises(Failure, match="no room for the message in TMPDIR"):
        _run(b"cat >" + os.fsencode(tmp_path / "out"), b"x" * (2 << 20))
    assert not (tmp_path / "out").exists()


def test_without_stdin_it_is_dev_null() -> None:
    assert _output(b"readlink /proc/self/fd/0; cat") == b"/dev/null\n"


def test_an_empty_stdin_is_at_its_end() -> None:
    assert _output(b"cat; echo end", b"") == b"end\n"


def test_stdout_is_thrown_away_unless_it_is_wanted(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(b"echo hello; exec 3>&1; readlink /proc/self/fd/3 >&2", world=(world := RecordingWorld())) == (0, b"")
    assert world.warnings[0].endswith(b": /dev/null")
    assert capfdbinary.readouterr().out == b""


def test_lines_of_stderr_are_warnings_as_they_arrive() -> None:
    world = RecordingWorld()
    order: list[object] = []
    world.warn = order.append

    def until(line: bytes) -> bool:
        order.append((line,))
        return False

    text = b"echo one >&2; read x; echo two; printf 'three\\r\\n\\nfour' >&2"
    # The command goes on only when the first line was seen: it reads what `until` cannot have sent otherwise.
    assert command.run(text, b"\n", ME, world, False, until) == (0, b"")
    assert [item for item in order if isinstance(item, bytes)] == [
        text + b": one",
        text + b": three",
        text + b": ",
        text + b": four",
    ]
    assert (b"two",) in order


def test_a_flood_on_stderr_without_line_ends_does_not_fill_the_memory() -> None:
    world = RecordingWorld()
    _run(b"head -c 1000000 /dev/zero >&2", world=world)
    assert len(world.warnings) > 5
    assert max(len(line) for line in world.warnings) < 200_000


def test_umask_working_directory_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/some/home")
    before = os.umask(0o027)
    try:
        _, output = _run(b"umask; pwd; echo $HOME $0", output=True, world=RecordingWorld(file_umask=0o013))
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert output == b"0013\n%s\n/some/home sh\n" % bytes(tmp_path)


def test_signals_are_at_their_defaults() -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        output = _output(b"grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    blocked, ignored = (int(mask, 16) for mask in output.split())
    # Signals 32 and 33 belong to the C library.
    assert blocked == 0
    assert ignored & 0x7FFFFFFF == 0


def test_the_status_survives_a_caller_that_ignores_its_children() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert _run(b"exit 7") == (7, b"")
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_no_descriptor_of_ours_is_open_in_the_command(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("wb"):
        ours = [int(name) for name in os.listdir("/proc/self/fd")]
        output = _output(b"exec ls -l /proc/self/fd", b"x")
    # What our caller left open for everybody stays open.
    given = [each for each in ours if each > 2 and Path(f"/proc/self/fd/{each}").exists() and os.get_inheritable(each)]
    assert b"lock" not in output
    # ... and `ls` itself opens the folder it lists.
    assert output.count(b" -> ") == 3 + len(given) + 1


def test_closed_standard_descriptors_of_ours_do_no_harm() -> None:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            for descriptor in (0, 1, 2):
                os.close(descriptor)
            code = 0 if _output(b"cat; echo x >&2", b"hello\n") == b"hello\n" else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_too_much_output_is_a_failure_in_fdms_words() -> None:
    with pytest.raises(Failure) as failure:
        _run(b"yes", output=True, world=RecordingWorld(maximum_size=100_000))
    assert failure.value.text == "yes: oversize mail returned"


def test_output_of_exactly_the_maximum_is_fine() -> None:
    world = RecordingWorld(maximum_size=1000)
    assert _run(b"head -c 1000 /dev/zero", output=True, world=world) == (0, b"\0" * 1000)


def test_lines_go_to_until_without_their_ends() -> None:
    lines: list[bytes] = []
    world = RecordingWorld()
    text = b"printf 'a\\r\\n\\nb\\rc\\nlast'"

    def until(line: bytes) -> bool:
        lines.append(line)
        return False

    assert command.run(text, None, ME, world, False, until) == (0, b"")
    assert lines == [b"a", b"", b"b\rc", b"last"]
    assert world.named("command-output") == [[text, line] for line in lines]


def test_until_stops_the_command_and_all_it_started(tmp_path: Path) -> None:
    pids: list[int] = []

    def until(line: bytes) -> bool:
        pids.append(int(line))
        return len(pids) == 2

    begin = time.monotonic()
    text = b"echo $$; sleep 600 & echo $!; wait"
    assert command.run(text, None, ME, RecordingWorld(), False, until) == (None, b"")
    assert time.monotonic() - begin < 60
    for pid in pids:
        _wait_until_gone(pid)


def test_a_line_without_end_cannot_fill_the_memory() -> None:
    with pytest.raises(Failure, match=r"io: maximum line length exceeded$"):
        command.run(b"cat /dev/zero", None, ME, RecordingWorld(maximum_size=1 << 20), False, lambda _: False)


@pytest.mark.parametrize(
    "text",
    [
        b"echo $$ >pids; sleep 600 & echo $! >>pids; wait",
        b"echo $$ >pids; exec >&- 2>&-; sleep 600 & echo $! >>pids; wait",
        b"echo $$ >pids; while :; do echo x >&2; done",
        # One that will not hear SIGTERM.
        b"trap '' TERM; echo $$ >pids; while :; do :; done",
        # The shell is gone, but somebody holds its standard error.
        b"sleep 600 & echo $! >pids",
    ],
)
def test_a_command_that_takes_too_long_is_killed_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    commands_write_first(monkeypatch, Path("pids"), text.count(b"pids"))
    begin = time.monotonic()
    with pytest.raises(Failure) as failure:
        _run(text, b"x" * 1_000_000, world=RecordingWorld(timeout=1.5))
    assert failure.value.text == os.fsdecode(text) + ": io: poll: Connection timed out; killed after 1.5 seconds"
    assert time.monotonic() - begin < 60
    for pid in (tmp_path / "pids").read_text().split():
        _wait_until_gone(int(pid))


@pytest.mark.parametrize("seconds", [0.1, 60])
def test_a_kernel_without_pidfds_is_waited_for_as_well(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def pidfd_open(pid: int) -> int:
        raise OSError(38, os.strerror(38))

    system.replace(monkeypatch, "pidfd_open", pidfd_open)
    world = RecordingWorld(timeout=seconds)
    if seconds < 1:
        with pytest.raises(Failure, match=r"Connection timed out"):
            _run(b"exec 2>&-; exec sleep 600", world=world)
    else:
        assert _run(b"exec 2>&-; sleep 0.1; exit 5", world=world) == (5, b"")


def test_a_background_process_that_holds_stderr_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(b"(sleep 0.2; touch done) &") == (0, b"")
    assert (tmp_path / "done").exists()


def test_a_background_process_that_lets_go_is_not(tmp_path: Path) -> None:
    begin = time.monotonic()
    world = RecordingWorld()
    status, output = command.run(b"sleep 600 >/dev/null 2>&1 & echo $!", None, ME, world, True)
    assert status == 0
    assert time.monotonic() - begin < 60
    # It was left alone, as fdm leaves it.
    assert not has_ended(int(output))
    os.kill(int(output), signal.SIGKILL)


def test_an_interrupt_of_ours_takes_the_command_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = RecordingWorld()

    def interrupt(text: bytes) -> None:
        raise KeyboardInterrupt

    world.warn = interrupt
    with pytest.raises(KeyboardInterrupt):
        _run(b"echo $$ >pid; echo now >&2; exec sleep 600", world=world)
    _wait_until_gone(int((tmp_path / "pid").read_text()))


def test_no_process_and_no_descriptor_is_left() -> None:
    descriptors, children = os.listdir("/proc/self/fd"), _children()
    for text in (b":", b"exit 3", b"echo x >&2"):
        _run(text, b"x")
    assert os.listdir("/proc/self/fd") == descriptors
    # Those that others of this run have may go meanwhile.
    assert _children() <= children


def _children() -> set[str]:
    """Our child processes; other tests of this run may have some too, and threads that end."""
    pids: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pids.update((task / "children").read_text().split())
    return pids
