"""/config is read by nobody but its owner."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.container import permissions


def test_others_lose_every_right(tmp_path: Path) -> None:
    top = tmp_path / "config"
    (top / "users/a b").mkdir(parents=True)
    (top / "users/a b/passwd").write_text("{PLAIN}x")
    (top / "users/a b/passwd").chmod(0o664)
    (top / "link").symlink_to("/etc/passwd")
    said: list[str] = []
    before = os.stat("/etc/passwd").st_mode
    permissions.tighten(top, said.append)
    for path in (top, top / "users", top / "users/a b", top / "users/a b/passwd"):
        assert path.stat().st_mode & 0o077 == 0
    assert (top / "users/a b/passwd").stat().st_mode & 0o700 == 0o600
    assert os.stat("/etc/passwd").st_mode == before
    assert said == []


def test_a_folder_that_is_not_there_is_nothing_to_say(tmp_path: Path) -> None:
    said: list[str] = []
    permissions.tighten(tmp_path / "none", said.append)
    assert said == []


def test_what_cannot_be_changed_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "config"
    top.mkdir()
    for name in ("a", "b", "c"):
        (top / name).write_text("")
        (top / name).chmod(0o644)
    top.chmod(0o700)

    def refused(self: Path, mode: int) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "chmod", refused)
    said: list[str] = []
    permissions.tighten(top, said.append)
    assert len(said) == 1
    assert "and 2 more" in said[0]
    assert "Read-only file system" in said[0]
