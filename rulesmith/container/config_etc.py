"""/config/etc over /etc: own configurations of the daemons.

What an earlier start has brought and is not there any more is taken back: without its file, the image's own holds.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from rulesmith.container.accounts import as_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# The files that the last start brought, one a line.
LIST = ".from-config"
# Folders whose files hold secrets for one daemon: its group reads them, and nobody else.
_GROUPS = {"rspamd": "_rspamd", "redis": "redis"}
# Engines mount these.
_MOUNTED = frozenset({"hostname", "hosts", "resolv.conf", "mtab"})


def install(source: Path, etc: Path, pristine: Path, say: Callable[[str], None]) -> list[Path]:
    """Copy everything; the files that were brought, as they lie in `etc`."""
    _take_back(etc, pristine)
    brought = []
    for name, path in _files(source, Path(), say):
        target = etc / name
        try:
            _copy(path, target, name)
            brought.append(name)
        except OSError as error:
            say(f"{path} cannot be copied to {target}: {error.strerror}")
    (etc / LIST).write_text("".join(f"{name}\n" for name in map(str, brought) if "\n" not in name))
    return [etc / name for name in brought]


def put_back(brought: Sequence[Path], etc: Path, pristine: Path) -> None:
    """Files that were brought go, and the image's own come back."""
    for target in brought:
        own = pristine / target.relative_to(etc)
        target.unlink(missing_ok=True)
        if own.exists():
            shutil.copy2(own, target)
            found = own.stat()
            os.chown(target, found.st_uid, found.st_gid)


def _take_back(etc: Path, pristine: Path) -> None:
    listed = etc / LIST
    if not listed.exists():
        return
    put_back([etc / line for line in listed.read_text().splitlines()], etc, pristine)
    listed.unlink()


def _files(folder: Path, name: Path, say: Callable[[str], None]) -> Iterator[tuple[Path, Path]]:
    try:
        entries = sorted(as_owner(folder, lambda: os.scandir(folder)), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        say(f"{folder} cannot be read: {error.strerror}")
        return
    for entry in entries:
        if name == Path() and entry.name in _MOUNTED:
            say(f"{entry.path} is not copied: /etc/{entry.name} is the container engine's")
        elif entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), name / entry.name, say)
        elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
            yield name / entry.name, Path(entry.path)


def _copy(path: Path, target: Path, name: Path) -> None:
    """In place of what is there, in one step; a link stays a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name[:200]}.new")
    fresh.unlink(missing_ok=True)
    if as_owner(path.parent, path.is_symlink):
        fresh.symlink_to(as_owner(path.parent, path.readlink))
    else:
        fresh.write_bytes(as_owner(path, path.read_bytes))
        executable = as_owner(path, path.stat).st_mode & stat.S_IXUSR
        group = _GROUPS.get(name.parts[0])
        if name.suffix == ".key":
            fresh.chmod(0o600)
        elif group:
            os.chown(fresh, 0, pwd.getpwnam(group).pw_gid)
            fresh.chmod(0o640)
        else:
            fresh.chmod(0o755 if executable else 0o644)
    fresh.rename(target)
