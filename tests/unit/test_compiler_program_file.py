"""The kept program is used again only while everything that made it holds."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path
from typing import Any

import pytest

from rulesmith import stretches
from rulesmith.compiler.compile import compile_config
from rulesmith.compiler.world import Machine
from rulesmith.delivery import program_file, program_store
from rulesmith.delivery.program_file import Key
from rulesmith.effects import Failure
from rulesmith.mail.message import Message
from tests import system

ENTRY = pwd.getpwuid(os.getuid())
ME = (os.fsencode(ENTRY.pw_name), ENTRY.pw_uid, ENTRY.pw_gid, b"/nonexistent")
LONG_AGO = time.time_ns() - 10_000_000_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def keep(text: str = "match all action drop\n", key: Key | None = None, stable: bool = True) -> str | None:
    """Compile `conf` and keep its program; why it was not kept."""
    write(Path("conf"), text)
    machine = Machine("conf", ME, run_commands=True)
    compiled = compile_config("conf", machine)
    assert compiled.program is not None
    if compiled.facts.unstable is not None and not stable:
        return compiled.facts.unstable
    return program_store.store(key or start(), compiled.facts.stamp(), compiled.program, compiled.standing)


def start(path: str = "conf", macros: list[str] | None = None, user: str | None = None) -> Key:
    return Key(path, ME, macros or [], user)


def kept_file() -> Path:
    (path,) = Path(".cache/rulesmith").iterdir()
    return path


def test_a_program_comes_back_as_it_was_stored() -> None:
    assert keep() is None
    found = program_file.load(start())
    assert found is not None
    program, warnings = found
    assert program[4] == (
        (0, ("conf", 1), ((0, False, "all", ()),), (), None, (("drop", (), ("conf", 1)),), None, False),
    )
    assert warnings == ()


def test_it_lies_where_only_its_owner_looks() -> None:
    keep()
    assert kept_file().stat().st_mode & 0o777 == 0o600
    assert kept_file().parent.stat().st_mode & 0o777 == 0o700


def test_the_cache_folder_of_the_user_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert keep() is None
    assert [path.parent.name for path in (tmp_path / "elsewhere").rglob("*.program")] == ["rulesmith"]


@pytest.mark.parametrize(
    "other", [start("./conf"), start(macros=["$a=b"]), start(user="nobody"), Key("conf", (*ME[:3], b"/h"), [], None)]
)
def test_another_start_has_another_program(other: Key) -> None:
    keep()
    assert program_file.load(other) is None


def test_another_working_directory_has_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert program_file.load(start()) is None


def test_another_home_has_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keep()
    monkeypatch.setenv("HOME", "/")
    assert program_file.load(start()) is None


def test_a_changed_file_is_compiled_again() -> None:
    keep()
    os.utime("conf", ns=(LONG_AGO, LONG_AGO))
    assert program_file.load(start()) is None


def test_a_replaced_file_of_the_same_age_and_size_is_compiled_again() -> None:
    keep()
    before = Path("conf").stat()
    write(Path("other"), "match all action keep\n")
    os.utime("other", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename("other", "conf")
    assert Path("conf").stat().st_size == before.st_size
    assert program_file.load(start()) is None


def test_a_file_whose_mode_changed_is_looked_at_again() -> None:
    keep()
    Path("conf").chmod(0o644)
    assert program_file.load(start()) is None


def test_an_include_that_appears_in_front_of_another_counts() -> None:
    Path("etc").mkdir()
    write(Path("etc/more"), "")
    write(Path("etc/conf"), 'include "more"\nmatch all action drop\n')
    compiled = compile_config("etc/conf", Machine("etc/conf", ME))
    assert compiled.program is not None
    key = start("etc/conf")
    assert program_store.store(key, compiled.facts.stamp(), compiled.program, ()) is None
    assert program_file.load(key) is not None
    write(Path("more"), "set no-received\n")
    assert program_file.load(key) is None


def test_an_included_file_that_changes_counts() -> None:
    write(Path("more"), "")
    keep('include "more"\nmatch all action drop\n')
    assert program_file.load(start()) is not None
    write(Path("more"), "set no-received\n")
    assert program_file.load(start()) is None


def test_the_date_in_a_name_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    keep('action "%[year]" drop\nmatch all action drop\n')
    assert program_file.load(start()) is not None
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert program_file.load(start()) is None


def test_the_date_that_nothing_uses_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert program_file.load(start()) is not None


def test_a_user_that_was_looked_up_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from rulesmith.delivery import people

    keep('cache "~root/x"\nmatch all action drop\n')
    assert program_file.load(start()) is not None
    monkeypatch.setattr(people, "find_user", lambda *_: (b"root", 0, 0, b"/moved"))
    assert program_file.load(start()) is None


def test_a_group_that_was_looked_up_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from rulesmith.delivery import people

    keep('set file-group "root"\nmatch all action drop\n')
    assert program_file.load(start()) is not None
    monkeypatch.setattr(people, "find_group", lambda *_: None)
    assert program_file.load(start()) is None


def test_the_umask_counts_where_the_configuration_takes_it() -> None:
    keep("set file-umask user\nmatch all action drop\n")
    assert program_file.load(start()) is not None
    old = os.umask(0o007)
    try:
        assert program_file.load(start()) is None
    finally:
        os.umask(old)


def test_what_runs_commands_is_never_kept() -> None:
    assert keep("$a = $(date)\nmatch all action drop\n", stable=False) == "it runs shell commands"


def test_a_file_that_changed_just_now_is_not_trusted() -> None:
    assert keep(stable=False) == "conf has changed just now"


def test_warnings_are_repeated() -> None:
    write(Path("conf"), "match all action drop\n")
    compiled = compile_config("conf", Machine("conf", ME))
    assert compiled.program is not None
    warnings = ("conf: world readable or writable",)
    assert program_store.store(start(), compiled.facts.stamp(), compiled.program, warnings) is None
    found = program_file.load(start())
    assert found is not None
    assert found[1] == warnings


@pytest.mark.parametrize("cut", [0, 3, 40, -1])
def test_a_torn_file_is_not_used(cut: int) -> None:
    keep()
    kept_file().write_bytes(kept_file().read_bytes()[:cut])
    assert program_file.load(start()) is None


def test_a_damaged_file_is_not_used() -> None:
    keep()
    octets = bytearray(kept_file().read_bytes())
    octets[len(octets) // 2] ^= 1
    kept_file().write_bytes(octets)
    assert program_file.load(start()) is None


MANY = "".join(f'match "^Subject: needle{number} " in headers action drop\n' for number in range(3000))
LETTER = b"Subject: needle%d \n\n"


def finds(program: Any, number: int) -> bool:
    """Whether the rule is among those that a message for it needs."""
    raw = LETTER % number
    return number in [rule[0] for rule in stretches.possible(program[4], Message(raw, len(raw), {}, 0))]


def test_of_many_rules_those_are_read_that_a_message_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(MANY)
    read: list[int] = []

    def pread(descriptor: int, size: int, at: int) -> bytes:
        read.append(size)
        return real(descriptor, size, at)

    real = os.pread
    system.replace(monkeypatch, "pread", pread)
    found = program_file.load(start())
    assert found is not None
    assert finds(found[0], 2999)
    assert finds(found[0], 7)
    assert 0 < len(read) < 10
    assert 0 < sum(read) < kept_file().stat().st_size // 10
    assert [rule[0] for rule in stretches.every(found[0][4])] == list(range(3000))


def test_a_program_in_use_outlives_its_file() -> None:
    keep(MANY)
    found = program_file.load(start())
    assert found is not None
    kept_file().unlink()
    keep("match all action drop\n")
    assert finds(found[0], 1234)


def test_nothing_is_left_to_be_read_where_the_file_may_become_another() -> None:
    keep(MANY)
    before = set(os.listdir("/proc/self/fd"))
    found = program_file.kept(start(), whole=True)
    assert found is not None
    assert set(os.listdir("/proc/self/fd")) == before
    os.truncate(kept_file(), 0)
    assert finds(found[1], 1234)


def test_a_damaged_part_defers_the_message_that_needs_it_and_is_made_anew() -> None:
    keep(MANY)
    octets = bytearray(kept_file().read_bytes())
    octets[-100] ^= 1  # of the last rules
    kept_file().write_bytes(octets)
    found = program_file.load(start())
    assert found is not None
    assert finds(found[0], 7)
    with pytest.raises(Failure, match="program: the compiled configuration is damaged; it is made anew"):
        finds(found[0], 2999)
    assert program_file.load(start()) is None
    assert program_file.kept(start(), whole=True) is None


def test_a_part_that_cannot_be_read_defers_the_message_and_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(MANY)
    found = program_file.load(start())
    assert found is not None

    def pread(*_: int) -> bytes:
        raise OSError(5, "Input/output error")

    system.replace(monkeypatch, "pread", pread)
    with pytest.raises(Failure, match="program: Input/output error; it is made anew"):
        finds(found[0], 7)
    with pytest.raises(Failure, match="it is made anew"):
        finds(found[0], 7)
    assert program_file.load(start()) is None


def test_a_damaged_part_that_cannot_be_removed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(MANY)
    found = program_file.load(start())
    assert found is not None

    def unlink(_: bytes) -> None:
        raise OSError(30, "Read-only file system")

    system.replace(monkeypatch, "pread", lambda *_: b"")
    system.replace(monkeypatch, "unlink", unlink)
    with pytest.raises(Failure, match="is damaged, and it cannot be removed: Read-only file system"):
        finds(found[0], 7)


def test_no_more_is_read_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged size would ask for more memory than there is, for every message."""
    keep()
    octets = kept_file().read_bytes()
    kept_file().write_bytes(octets[:4] + b"\xff\xff\xff\xff" + octets[8:])
    asked: list[int] = []

    def read(descriptor: int, size: int) -> bytes:
        asked.append(size)
        return real(descriptor, min(size, 1 << 20))

    real = os.read
    system.replace(monkeypatch, "read", read)
    assert program_file.load(start()) is None
    assert max(asked) <= 1 << 16


def test_a_damaged_part_is_found_at_once_where_all_is_read() -> None:
    keep(MANY)
    os.truncate(kept_file(), kept_file().stat().st_size - 1)
    assert program_file.kept(start(), whole=True) is None


def test_a_closed_standard_input_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the program would be the message."""
    keep(MANY)
    pid = os.fork()
    if not pid:
        os.close(0)
        found = program_file.load(start())
        try:
            os.fstat(0)
        except OSError:
            os._exit(found is None or not finds(found[0], 7))
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_file_that_others_may_write_is_not_used() -> None:
    keep()
    kept_file().chmod(0o620)
    assert program_file.load(start()) is None


def test_a_link_is_not_followed() -> None:
    keep()
    path = kept_file()
    path.rename("moved")
    path.symlink_to(Path("moved").absolute())
    assert program_file.load(start()) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_file_of_another_owner_is_not_used() -> None:
    keep()
    os.chown(kept_file(), 1, 1)
    assert program_file.load(start()) is None


def test_a_folder_that_others_may_write_is_not_written() -> None:
    Path(".cache/rulesmith").mkdir(parents=True)
    Path(".cache/rulesmith").chmod(0o770)
    reason = keep()
    assert reason is not None
    assert "others may write" in reason


def test_where_nothing_can_be_written_the_reason_is_told() -> None:
    Path(".cache").write_text("a file where the folder should be")
    assert keep() == "Not a directory"


def test_without_any_home_it_works_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert program_file.load(start()) is None
    reason = keep()
    assert reason is not None
    assert "HOME" in reason


def test_old_programs_are_forgotten() -> None:
    for number in range(40):
        keep(key=start(macros=[f"$a={number}"]))
    assert len(list(Path(".cache/rulesmith").iterdir())) == 32
    assert program_file.load(start(macros=["$a=39"])) is not None
