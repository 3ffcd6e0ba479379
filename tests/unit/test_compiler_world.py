"""The machine as the compiler sees it: files, commands, people."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.compiler.world import Machine
from rulesmith.syntax.world import CommandError

ME = (b"someone", 12345, 12345, b"/home/someone")


def machine(run_commands: bool = True, path: str = "conf") -> Machine:
    return Machine(path, ME, run_commands=run_commands)


def test_a_command_is_run_and_what_it_complains_about_is_a_warning() -> None:
    here = machine()
    assert here.run("echo out; echo err >&2", "part") == "out\n"
    assert here.warnings == ["part: echo out; echo err >&2: err"]
    assert here.facts.unstable == "it runs shell commands"


@pytest.mark.parametrize(
    ("command", "words"),
    [("exit 3", "exit 3: command returned 3"), ("kill -9 $$", "kill -9 $$: child got signal: 9")],
)
def test_a_command_that_fails_is_an_error(command: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        machine().run(command, "conf")
    assert str(caught.value) == words


def test_a_command_that_is_not_to_be_run_is_not(tmp_path: Path) -> None:
    here = machine(run_commands=False)
    assert here.run(f"touch {tmp_path}/ran", "conf") is None
    assert not (tmp_path / "ran").exists()
    assert here.facts.unstable is not None


def test_a_command_reads_nothing() -> None:
    assert machine().run("cat", "conf") == ""


def test_files_are_read_with_their_stamp_and_folders_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "more"
    path.write_bytes(b"\xff\n")
    path.chmod(0o644)
    here = machine()
    assert here.read(str(path)) == b"\xff\n"
    assert here.read(str(tmp_path)) == b""
    stamp = path.stat()
    assert here.facts.files[os.fsencode(path)] == (stamp.st_mtime_ns, stamp.st_ctime_ns, stamp.st_size, stamp.st_ino)
    assert f"{path}: world readable or writable" in here.standing


def test_a_missing_file_is_remembered_as_missing(tmp_path: Path) -> None:
    here = machine()
    with pytest.raises(FileNotFoundError):
        here.read(str(tmp_path / "more"))
    assert here.facts.absent == {os.fsencode(tmp_path / "more")}


@pytest.mark.parametrize(
    ("written", "tried"),
    [
        ("more", ["more", "etc/more"]),
        ("/abs", ["/abs", "etc//abs"]),
        ("%h/x", ["/home/someone/x", "etc//home/someone/x"]),
        ("~/x", ["/home/someone/x", "etc//home/someone/x"]),
        ("~no such user/x", ["~no such user", "etc/~no such user"]),
        ("%1", []),
    ],
)
def test_an_include_is_looked_for_as_written_and_beside_the_main_file(written: str, tried: list[str]) -> None:
    assert machine(path="etc/conf").expand_include(written) == tried


def test_people_are_found_by_name_and_by_number() -> None:
    here = machine()
    assert here.user(b"root") == here.user(b"0")
    assert here.user(b"someone") == ME
    assert here.user(b"no such user") is None
    assert here.group(b"no such group") is None
    assert here.has_gid(0)
    assert set(here.facts.users) == {b"root", b"0", b"someone", b"no such user"}
