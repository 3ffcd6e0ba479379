"""The importer of the door: the same modules as Python's own, and never an old one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode as Mode
from py_compile import compile as compile_file

import pytest

from rulesmith import importer

PACKAGE = Path(importer.__file__).parent
# Says what the package's modules hold, and which importer has found them.
LOOK = f"""\
import sys
sys.path.insert(0, sys.argv[1])
import {{name}}
exec(open({importer.__file__!r}).read())
sys.meta_path.insert(0, Importer({{name}}.__name__))
import {{name}}.inner.deep, {{name}}.near
for module in ({{name}}.near, {{name}}.inner, {{name}}.inner.deep):
    print(module.WHAT, type(module.__loader__).__name__, module.__file__, module.__package__)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "house"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    for name in ("near", "inner/__init__", "inner/deep"):
        (folder / f"{name}.py").write_text(f"WHAT = {name!r}\n")
    return folder


def look(folder: Path) -> list[list[str]]:
    run = subprocess.run(
        [sys.executable, "-I", "-c", LOOK.format(name=folder.name), folder.parent],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split() for line in run.stdout.splitlines()]


def compile_all(folder: Path, mode: Mode) -> None:
    for path in folder.rglob("*.py"):
        compile_file(str(path), invalidation_mode=mode)


@pytest.mark.parametrize("mode", [Mode.TIMESTAMP, Mode.UNCHECKED_HASH])
def test_compiled_modules_are_found(mode: Mode, package: Path) -> None:
    compile_all(package, mode)
    assert look(package) == [
        ["near", "Importer", str(package / "near.py"), "house"],
        ["inner/__init__", "Importer", str(package / "inner/__init__.py"), "house.inner"],
        ["inner/deep", "Importer", str(package / "inner/deep.py"), "house.inner"],
    ]


def test_modules_that_are_not_compiled_are_left_to_python(package: Path) -> None:
    assert {found[1] for found in look(package)} == {"SourceFileLoader"}
    assert {found[1] for found in look(package)} == {"Importer"}, "which has compiled them"


def test_a_source_that_is_newer_counts(package: Path) -> None:
    compile_all(package, Mode.TIMESTAMP)
    near = package / "near.py"
    before = near.stat()
    near.write_text("WHAT = 'new'\n")  # as many octets
    os.utime(near, ns=(before.st_atime_ns, before.st_mtime_ns + 2_000_000_000))
    assert look(package)[0][:2] == ["new", "SourceFileLoader"]


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\x00" * 64], ids=["empty", "short", "of another Python"])
def test_a_compiled_file_that_python_would_not_take_is_not_taken(octets: bytes, package: Path) -> None:
    compile_all(package, Mode.TIMESTAMP)
    (cached,) = (package / "__pycache__").glob("near.*.pyc")
    cached.write_bytes(octets)
    assert look(package)[0][:2] == ["near", "SourceFileLoader"]


@pytest.mark.parametrize("cut", [17, 40, -1])
def test_a_damaged_compiled_file_is_made_up_for_by_its_source(cut: int, package: Path) -> None:
    """Python's own importer ends there: its stamp is right."""
    compile_all(package, Mode.UNCHECKED_HASH)
    (cached,) = (package / "__pycache__").glob("near.*.pyc")
    cached.write_bytes(cached.read_bytes()[:cut])
    assert look(package)[0][:2] == ["near", "Importer"]
    cached.write_bytes(cached.read_bytes()[:16] + b"?" * 40)
    assert look(package)[0][:2] == ["near", "Importer"]


def test_a_hash_that_is_to_be_checked_is_left_to_python(package: Path) -> None:
    compile_all(package, Mode.CHECKED_HASH)
    assert {found[1] for found in look(package)} == {"SourceFileLoader"}


def test_other_packages_are_not_its_business() -> None:
    finder = importer.Importer("rulesmith")
    assert finder.find_spec("rulesmithy.near", [str(PACKAGE)]) is None
    assert finder.find_spec("rulesmith.no_such_module", [str(PACKAGE)]) is None
