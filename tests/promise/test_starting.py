"""The start of the door, before anything of ours runs: whatever is missing, the message stays with the caller."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.promise.room import Room, a_mail

ROOT = Path(__file__).parents[2]
LIBRARY = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
RULES = 'match all action maildir "a"\n'
STAYS = b"the message stays with the caller"
# More than a pipe holds: who does not read it to its end breaks the pipe.
LARGE = a_mail() + b"x" * 200_000 + b"\n"


class House:
    """An environment such as pip makes, and beside it a folder for the mail."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.library = folder / "house" / "bin", folder / "house" / LIBRARY
        self.bin.mkdir(parents=True)
        self.library.mkdir(parents=True)
        shutil.copy(ROOT / "bin" / "fdm", self.bin)
        self.python = self.bin / "python3"
        self.python.symlink_to(sys.executable)
        (self.bin / "rulesmith").write_text(f"#!{self.python}\nimport sys\n")
        for name in ("rulesmith", "lark"):
            found = importlib.util.find_spec(name)
            assert found
            assert found.submodule_search_locations
            (self.library / name).symlink_to(found.submodule_search_locations[0])
        (folder / "room").mkdir()
        self.room = Room(folder / "room", rules=RULES)
        # What the shell needs, and no Python.
        self.tools = folder / "tools"
        self.tools.mkdir()
        for tool in ("cat", "readlink"):
            (self.tools / tool).symlink_to(shutil.which(tool) or "")

    def own_package(self) -> Path:
        """The package as a copy, to be harmed; nothing of it is compiled."""
        package = self.library / "rulesmith"
        origin = package.resolve()
        package.unlink()
        shutil.copytree(origin, package, ignore=shutil.ignore_patterns("__pycache__"))
        return package

    def hand(
        self, mail: bytes = LARGE, door: Path | None = None, level: str = "-q", site: Path | None = None
    ) -> tuple[int, bytes]:
        """The exit status and what was said; raises BrokenPipeError where the mail is not read to its end."""
        call = self.room.call(mail)
        words = [level if word == "-q" else word for word in call.args]
        with subprocess.Popen(
            [door or self.bin / "fdm", *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=call.cwd, env={**call.env, "PATH": str(self.tools), "RULESMITH_CONF": str(site or "")},
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stderr
            with process.stdin:
                process.stdin.write(mail)
            said = process.stderr.read()
        return process.returncode, said


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_behind_a_link_the_package_is_that_of_the_python(house: House, tmp_path: Path) -> None:
    """Beside the link lies what is left of an earlier installation."""
    old = tmp_path / "old" / LIBRARY / "rulesmith"
    old.mkdir(parents=True)
    (old / "__init__.py").write_text("raise SystemError('the old one')\n")
    door = tmp_path / "old" / "bin" / "fdm"
    door.parent.mkdir()
    door.symlink_to(house.bin / "fdm")
    status, said = house.hand(door=door)
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


def test_a_link_to_the_door_alone_finds_the_package_beside_itself(house: House, tmp_path: Path) -> None:
    """As stow makes it where the folders of Python are there already."""
    away = tmp_path / "stow" / "bin"
    away.mkdir(parents=True)
    for name in ("fdm", "rulesmith"):
        (house.bin / name).rename(away / name)
        (house.bin / name).symlink_to(away / name)
    status, said = house.hand()
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


def test_what_is_left_of_a_removed_package_is_no_package(house: House) -> None:
    """The bundle, which pip knows nothing of; the package is where `site` finds it."""
    other = house.library.parent / "dist-packages"
    house.library.rename(other)
    (house.library / "rulesmith" / "__pycache__").mkdir(parents=True)
    status, said = house.hand()
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


def test_without_any_python_the_message_stays(house: House) -> None:
    house.python.unlink()
    status, said = house.hand()
    assert (status, said.count(STAYS), said.count(b"\n")) == (75, 1, 1), said


def test_a_python_that_cannot_be_started_leaves_the_message(house: House) -> None:
    if subprocess.run(["sh", "-c", "trap 'exit 75' EXIT; exec /no/such"], check=False).returncode != 75:
        pytest.skip("this sh, which is bash, ends with 126 or 127 then, whatever it is told")
    house.python.unlink()
    house.python.write_text("#!/no/such/interpreter\n")
    house.python.chmod(0o755)
    status, said = house.hand()
    assert (status, said.count(STAYS)) == (75, 1), said


# First lines of `rulesmith`, as installers write them; {} is a folder with a Python.
NAMED = {
    "pip": "#!{}/python3.x",
    "Fedora": "#!{}/python3.x -sP",
    "a blank": "#! {}/python3.x",
    "env": "#!/usr/bin/env python3.x",
}
UNNAMED = {
    "uv": "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''",
    "a long path": "#!/bin/sh\n'''exec' \"/a path/python3\" \"$0\" \"$@\"\n' '''",
    "a Python that is gone": "#!/no/such/python3",
    "an option of env": "#!/usr/bin/env -S python3 -I",
    "nothing": "",
}


@pytest.mark.parametrize("who", NAMED)
def test_the_python_is_the_one_that_the_installer_names(who: str, house: House) -> None:
    house.python.rename(house.tools / "python3.x")
    (house.bin / "rulesmith").write_text(NAMED[who].format(house.tools) + "\nimport sys\n")
    status, said = house.hand()
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


@pytest.mark.parametrize("who", UNNAMED)
def test_without_a_name_it_is_the_one_beside_the_door(who: str, house: House) -> None:
    (house.bin / "rulesmith").write_text(UNNAMED[who] + "\n")
    status, said = house.hand()
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


def test_without_the_other_command_too(house: House) -> None:
    """As in the middle of an upgrade."""
    (house.bin / "rulesmith").unlink()
    status, said = house.hand()
    assert (status, house.room.copies(LARGE)) == (0, {"a": 1}), said


def _without_package(house: House) -> None:
    (house.library / "rulesmith").unlink()


def _with_half_a_module(house: House) -> None:
    module = house.own_package() / "fdm.py"
    module.write_bytes(module.read_bytes()[:500])


def _with_a_fault(house: House) -> None:
    with (house.own_package() / "options.py").open("a") as module:
        module.write("\ndef parse(words):\n    raise OSError(23, 'no more files')\n")


@pytest.mark.parametrize("site", [False, True], ids=["alone", "with settings of the machine"])
@pytest.mark.parametrize("name", ["fdm.lark", "fdm.table"])
def test_a_grammar_that_is_gone_is_named(name: str, site: bool, house: House) -> None:
    grammar = house.own_package() / "grammar" / name
    grammar.unlink()
    settings = house.room.folder / "settings"
    settings.write_text("set no-received\n")
    status, said = house.hand(site=settings if site else None)
    assert (status, said.decode()) == (75, f"{grammar}: No such file or directory\n")
    if not site:
        (house.room.folder / "conf").unlink()
        assert house.hand() == (75, b"conf: No such file or directory\n")


@pytest.mark.parametrize("harm", [_without_package, _with_half_a_module, _with_a_fault])
def test_what_cannot_be_loaded_leaves_the_message(harm: Callable[[House], None], house: House) -> None:
    harm(house)
    status, said = house.hand()
    assert (status, said.count(STAYS), said.count(b"\n")) == (75, 1, 1), said


@pytest.mark.parametrize("call", ["read", "isatty"])
def test_where_no_memory_is_left_to_refuse_the_message_stays(call: str, house: House) -> None:
    house.own_package().joinpath("fdm.py").write_text(
        f"import posix\n\ndef full(*_):\n    raise MemoryError\n\nposix.{call} = full\nfull()\n"
    )
    done = subprocess.run([house.bin / "fdm", "fetch"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, STAYS in done.stderr) == (75, True), done.stderr


def test_a_terminal_is_not_waited_for(house: House) -> None:
    _without_package(house)
    ours, theirs = os.openpty()
    done = subprocess.run(
        [house.bin / "fdm", "fetch"], stdin=theirs, stderr=subprocess.PIPE, env={"PATH": str(house.tools)},
        timeout=30, check=False,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 75
