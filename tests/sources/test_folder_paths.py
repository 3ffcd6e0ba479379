from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from rulesmith.sources import paths
from tests import system

NAMES = ["Mail/one/cur/x", "Mail/two/x", "Mail/.hidden/x", "Mail/three/x", "other/a{b/x", "x,y/x", "br/[z]", "br/z"]


class _Glob(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_size_t),
        ("paths", ctypes.POINTER(ctypes.c_char_p)),
        ("offset", ctypes.c_size_t),
        ("rest", ctypes.c_char * 256),
    )


def _real_glob(pattern: bytes) -> list[bytes]:
    """glob(3) of the C library with GLOB_BRACE and GLOB_NOCHECK, which is what fdm calls."""
    library = ctypes.CDLL(None)
    found = _Glob()
    assert library.glob(pattern, (1 << 10) | (1 << 4), None, ctypes.byref(found)) == 0
    result = [found.paths[index] for index in range(found.count)]
    library.globfree(ctypes.byref(found))
    return [path for path in result if path is not None]


@pytest.mark.parametrize(
    "pattern",
    ["Mail/one", "Mail/nothing", "Mail/*", "Mail/*/x", "M*l/t*", "Mail/.*dden", "Mail/*hidden", "*/one", "*/*/x",
     "Mail/{one,two}", "Mail/{two,one,no}", "Mail/{no,nix}", "{Mail,other}/*", "Mail/{one,t*}", "a{}b", "Mail/{one",
     "Mail/t{w{o,x},hree}", "Mail/?wo", "Mail/[to]*", "Mail/[!t]*", "Mail//one", "Mail/*/", "*", "nix/*", "Mail/one/*/",
     "x,y/*", "br/[[]z[]]", "br/z", "{}", "{,Mail/}one", "Mail{}/o{}ne", "a{b",
     "other/a{b", "other/a\\{b", "Mail/\\*", "Mail/o\\ne", "Mail/t\\wo*", ""],
)  # fmt: skip
def test_patterns_mean_what_glob_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    for prefix in (b"", bytes(tmp_path) + b"/"):
        assert paths.expand(prefix + pattern.encode()) == _real_glob(prefix + pattern.encode())


def test_a_folder_that_may_not_be_listed_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listdir(path: bytes) -> list[bytes]:
        raise PermissionError

    system.replace(monkeypatch, "listdir", listdir)
    assert paths.expand(bytes(tmp_path) + b"/*") == [bytes(tmp_path) + b"/*"]
