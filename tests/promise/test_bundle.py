"""One file with the modules of a message (rulesmith/bundle.py): it is used where it is right, and never missed."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from rulesmith import bundle, bundling
from rulesmith.effects import Stopped
from tests.promise.room import a_mail
from tests.promise.test_starting import House

MAIL = a_mail()


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(tmp_path)
    found.own_package()
    return found


def the_bundle(house: House) -> Path:
    return house.library / "rulesmith" / "__pycache__" / bundling.path().name


def compiled(house: House) -> set[str]:
    """The modules that were loaded one by one, which leaves a compiled file of each."""
    return {path.name.partition(".")[0] for path in (house.library / "rulesmith").rglob("*.pyc")}


def forget(house: House) -> None:
    for path in (house.library / "rulesmith").rglob("*.pyc"):
        path.unlink()


def deliver(house: House, copies: int) -> None:
    status, said = house.hand(MAIL)
    assert (status, house.room.copies(MAIL)) == (0, {"a": copies}), said


def test_the_first_message_makes_it_and_the_next_load_nothing_else(house: House) -> None:
    deliver(house, 1)
    assert the_bundle(house).stat().st_mode & 0o777 == (house.library / "rulesmith/bundle.py").stat().st_mode & 0o666
    assert {"mda", "evaluate"} <= compiled(house)
    forget(house)
    deliver(house, 2)
    assert compiled(house) == {"people"}, "somebody is named"


def test_it_holds_what_every_message_loads_in_the_order_of_need() -> None:
    code = "import sys\nfor name in sys.argv[1:]:\n    assert name not in sys.modules, name\n    __import__(name)\n"
    # What a module needs is loaded with it, so each must be new when its turn has come.
    subprocess.run([sys.executable, "-c", code, *bundling.MODULES], check=True, cwd=bundling.PACKAGE.parent)


def _emptied(octets: bytes) -> bytes:
    return b""


def _torn(octets: bytes) -> bytes:
    return octets[: len(octets) // 2]


def _of_zeros(octets: bytes) -> bytes:
    return b"\0" * len(octets)


def _of_another_python(octets: bytes) -> bytes:
    return octets.replace(MAGIC_NUMBER, b"\0\1\2\3")


def _of_something_else(octets: bytes) -> bytes:
    return marshal.dumps((1, 2, 3))


def _with_a_fault(octets: bytes) -> bytes:
    code, magic, modules = marshal.loads(octets)
    *others, (name, file, seconds, size, _) = modules
    fault = compile("raise ImportError('half a module')", "fault", "exec")
    return marshal.dumps((code, magic, [*others, (name, file, seconds, size, fault)]))


HARMS = (_emptied, _torn, _of_zeros, _of_another_python, _of_something_else, _with_a_fault)


@pytest.mark.parametrize("harm", HARMS)
def test_without_a_good_one_the_modules_are_loaded_one_by_one(harm: Callable[[bytes], bytes], house: House) -> None:
    deliver(house, 1)
    forget(house)
    whole = the_bundle(house).read_bytes()
    the_bundle(house).write_bytes(harm(whole))
    deliver(house, 2)
    assert "mda" in compiled(house)
    # The next time that a configuration is compiled it is made anew.
    house.room.configure('match all action maildir "b"\n')
    status, said = house.hand(MAIL)
    assert status == 0, said
    # The octets need not be the same: marshal writes what is referred to once as it happens to be held.
    assert marshal.loads(the_bundle(house).read_bytes()) == marshal.loads(whole)


def test_a_source_that_has_changed_since_counts(house: House) -> None:
    deliver(house, 1)
    with (house.library / "rulesmith/options.py").open("a") as source:
        source.write("\nraise SystemError('the new one')\n")
    status, said = house.hand(MAIL)
    assert (status, b"the new one" in said) == (75, True), said


def test_a_source_that_is_gone_is_missed(house: House) -> None:
    deliver(house, 1)
    (house.library / "rulesmith/options.py").unlink()
    forget(house)
    status, said = house.hand(MAIL)
    assert (status, b"rulesmith.options" in said) == (75, True), said


def test_unchecked_no_edit_is_seen_but_another_version_is(house: House) -> None:
    line = [str(house.python), "-m", "rulesmith.bundling", "--unchecked"]
    subprocess.run(line, check=True, cwd=house.library, env={"PYTHONPATH": str(house.library)})
    with (house.library / "rulesmith/options.py").open("a") as source:
        source.write("\nraise SystemError('the new one')\n")
    deliver(house, 1)
    with (house.library / "rulesmith/__init__.py").open("a") as source:
        source.write("# as pip writes it\n")
    status, said = house.hand(MAIL)
    assert (status, b"the new one" in said) == (75, True), said


def test_where_it_cannot_be_written_messages_are_delivered_all_the_same(house: House) -> None:
    the_bundle(house).mkdir(parents=True)
    status, said = house.hand(MAIL, level="-v")
    assert (status, house.room.copies(MAIL)) == (0, {"a": 1}), said
    assert b"the modules are not kept in one file: Is a directory\n" in said
    assert os.listdir(the_bundle(house)) == []
    assert not [*the_bundle(house).parent.glob("*.bundle.*")]
    deliver(house, 2)


def test_who_writes_no_compiled_files_writes_none_of_these(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    door = house.bin / "fdm"
    door.write_text(f"#!{house.python} -ISB\n{door.read_text().partition(chr(10))[2]}")
    deliver(house, 1)
    assert not the_bundle(house).exists()


def test_a_relative_link_begins_at_itself_and_not_in_the_current_folder(tmp_path: Path) -> None:
    """As stow makes them. What lies there where we are started is somebody else's."""
    house = House(tmp_path / "deep")
    house.own_package()
    door = tmp_path / "links" / "fdm"
    door.parent.mkdir()
    door.symlink_to("../deep/house/bin/fdm")
    assert house.hand(MAIL, door)[0] == 0
    trap = house.room.folder.parent / "deep" / the_bundle(house).relative_to(tmp_path / "deep")
    trap.parent.mkdir(parents=True)
    trap.write_bytes(marshal.dumps((compile("import posix; posix._exit(0)", "trap", "exec"), MAGIC_NUMBER, [])))
    forget(house)
    status, said = house.hand(MAIL, door)
    assert (status, house.room.copies(MAIL)) == (0, {"a": 2}), said
    assert "mda" not in compiled(house)


def test_where_nothing_is_installed_the_package_is_the_one_that_is_named(house: House, tmp_path: Path) -> None:
    deliver(house, 1)
    named = tmp_path / "named" / "rulesmith"
    named.mkdir(parents=True)
    (named / "__init__.py").write_text("raise SystemError('the one that is named')\n")
    done = subprocess.run(
        [house.python, house.bin / "fdm", "fetch"], env={"PYTHONPATH": str(named.parent)},
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert (done.returncode, b"the one that is named" in done.stderr) == (75, True), done.stderr


def test_a_damaged_one_is_never_the_message(house: House) -> None:
    """Its number would be that of a standard input that is closed."""
    deliver(house, 1)
    the_bundle(house).write_bytes(b"\0" * (1 << 20) + MAIL)
    call = house.room.call(b"")
    line = ["sh", "-c", 'exec "$0" "$@" <&-', house.bin / "fdm", *call.args]
    done = subprocess.run(
        line, cwd=call.cwd, env={**call.env, "RULESMITH_CONF": ""}, stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, b"stdin is invalid" in done.stderr) == (75, True), done.stderr
    assert house.room.copies(MAIL) == {"a": 1}


def test_who_is_stopped_while_he_makes_it_leaves_no_half_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stopped(_: int) -> None:
        raise Stopped("SIGTERM")

    monkeypatch.setattr(bundling, "path", lambda: tmp_path / "message.bundle")
    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(Stopped):
        bundling.write()
    assert os.listdir(tmp_path) == []


def test_what_fails_in_the_middle_leaves_nothing_behind() -> None:
    before = dict(sys.modules)
    modules: list[bundle.Packed] = [
        ("a_house", "a_house/__init__.py", None, 0, compile("WHAT = 1", "a", "exec")),
        ("a_house.near", "a_house/near.py", None, 0, compile("from a_house import WHAT; WHAT / 0", "b", "exec")),
    ]
    with pytest.raises(ZeroDivisionError):
        bundle.unpack("/nowhere", MAGIC_NUMBER, modules)
    assert sys.modules == before
    assert "/nowhere" not in sys.path
