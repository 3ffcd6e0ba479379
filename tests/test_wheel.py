"""The wheel, in an environment with nothing else in it: both commands work, and grammar and man pages are there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment into which the wheel of this checkout was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source, environment = folder / "source", folder / "environment"
    # A copy, so that building leaves nothing behind here and takes nothing that git would not have.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        origin, copy = ROOT / name, source / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_symlink():
            copy.symlink_to(origin.readlink())
        elif origin.is_file():
            copy.write_bytes(origin.read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    subprocess.run([*pip, "--python", environment / "bin" / "python", "install", wheel], check=True)
    return environment


def test_the_wheel_carries_the_man_pages(installed: Path) -> None:
    pages = {path.relative_to(installed).as_posix() for path in (installed / "share" / "man").rglob("*.[15]")}
    assert pages == {"share/man/man1/fdm.1", "share/man/man1/rulesmith.1", "share/man/man5/fdm.conf.5"}


def test_fdm_delivers_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    conf = tmp_path / "fdm.conf"
    conf.write_text('account "stdin" stdin\nset no-received\nmatch "^subject: X" in headers action stdout\n')
    conf.chmod(0o600)
    message = b"Subject: x\n\nfrom the wheel\n"
    run = subprocess.run(
        [installed / "bin" / "fdm", "-u", user, "-f", conf, "-m", "-q", "fetch"],
        input=message, capture_output=True, check=False, cwd=tmp_path, env={"HOME": str(tmp_path)},
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (0, message), run.stderr.decode()


def _deliver(door: Path | str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    conf = folder / "fdm.conf"
    conf.write_text(
        f'set default-user "{pwd.getpwuid(os.geteuid()).pw_name}"\naccount "stdin" stdin\nmatch all action stdout\n'
    )
    conf.chmod(0o600)
    return subprocess.run(
        [door, "-f", conf, "-m", "-q", "fetch"], input=b"Subject: x\n\nhello\n", capture_output=True, check=False,
        env={"HOME": str(folder)},
    )  # fmt: skip


def test_fdm_runs_the_python_of_its_environment_without_site(installed: Path, tmp_path: Path) -> None:
    flags = tmp_path / "flags"
    site = next(installed.glob("lib/python3*/site-packages"))
    hook = site / "rulesmith" / "options.py"
    before = hook.read_text()
    hook.write_text(
        f"{before}\nimport sys\nopen({str(flags)!r}, 'w').write(f'{{sys.executable}} {{sys.flags.no_site}}')\n"
    )
    try:
        assert _deliver(installed / "bin" / "fdm", tmp_path).returncode == 0
    finally:
        hook.write_text(before)
    assert flags.read_text() == f"{installed}/bin/python 1"


def test_fdm_may_be_called_through_links(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to(installed / "bin")
    (tmp_path / "door").symlink_to("folder/fdm")
    run = _deliver(tmp_path / "door", tmp_path)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.endswith(b"hello\n")


def test_fdm_may_name_its_python_itself(installed: Path, tmp_path: Path) -> None:
    door = installed / "bin" / "direct"
    text = (installed / "bin" / "fdm").read_text()
    door.write_text(f"#!{installed}/bin/python -IS\n{text.partition(chr(10))[2]}")
    door.chmod(0o755)
    run = _deliver(door, tmp_path)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.endswith(b"hello\n")


@pytest.mark.parametrize("line", ['\'\'\'exec\' "{}" "$0" "$@"', "'''exec' '{}' \"$0\" \"$@\""], ids=["pip", "uv"])
def test_fdm_finds_a_python_with_a_blank_in_its_path(line: str, installed: Path, tmp_path: Path) -> None:
    moved = tmp_path / "an environment"
    shutil.copytree(installed, moved, symlinks=True)
    (moved / "bin" / "rulesmith").write_text(f"#!/bin/sh\n{line.format(moved / 'bin' / 'python')}\n' '''\n")
    run = _deliver(moved / "bin" / "fdm", tmp_path)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.endswith(b"hello\n")


def test_rulesmith_says_its_version_from_the_wheel(installed: Path) -> None:
    from rulesmith import __version__

    run = subprocess.run([installed / "bin" / "rulesmith", "--version"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert __version__ in run.stdout


def test_without_the_extra_the_wheel_says_what_to_type(installed: Path) -> None:
    run = subprocess.run([installed / "bin" / "rulesmith", "lsp"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "`rulesmith lsp` needs the extra `lsp`; type: pip install 'rulesmith-mda[lsp]'\n"
    assert [*installed.glob("lib/python*/site-packages/rulesmith/lsp/reference.json")]


def test_no_python_warns_of_the_door() -> None:
    """It is read at each message, and a warning would be in each message's log."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile((ROOT / "bin" / "fdm").read_text(), "fdm", "exec")
