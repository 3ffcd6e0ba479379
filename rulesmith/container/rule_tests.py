"""The tests beside a user's fdm.conf: a new one takes effect when it passes them."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rulesmith.container.accounts import acting_as, as_owner
from rulesmith.container.passwd import Refused
from rulesmith.container.services import write_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rulesmith.container.places import Places

FILE, FOLDER = "fdm.conf.tests.toml", "tests"
LARGEST = 32 << 20
_COPY = ".tests"


def state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes with the tests in a user's folder; empty where there are none. Raises OSError."""
    return tuple((name, found.st_size, found.st_mtime_ns) for name, found in sorted(_files(folder)))


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The file of tests and whatever lies in the folder of tests, by name within `folder`."""
    names = [FILE]
    if as_owner(folder, (folder / FOLDER).is_dir):
        names += [os.path.join(FOLDER, name) for name in _below(folder / FOLDER)]
    for name in names:
        path = folder / name
        try:
            found = as_owner(path.parent, path.stat)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(found.st_mode):
            yield name, found


def _below(folder: Path, within: str = "") -> Iterator[str]:
    for name in as_owner(folder, lambda: os.listdir(folder)):
        path = folder / name
        if as_owner(folder, path.is_dir) and not path.is_symlink():
            yield from _below(path, os.path.join(within, name))
        else:
            yield os.path.join(within, name)


@contextmanager
def copied(places: Places, user: str) -> Iterator[Path | None]:
    """A folder of the user of the mail's with a copy of the tests, for a while; None where there are none.

    What is a user's is never read by root to be made sense of.
    """
    copy = places.home(user) / _COPY
    # One that is there was left by a keeper that was killed, and has what the user may have deleted since.
    _remove(places, copy)
    try:
        yield copy if _copy(places, places.users / user, copy) else None
    finally:
        _remove(places, copy)


def _remove(places: Places, copy: Path) -> None:
    with acting_as(places.mail):
        if copy.exists():
            shutil.rmtree(copy)


def _copy(places: Places, source: Path, copy: Path) -> bool:
    """Whether there is anything to copy. Raises Refused."""
    try:
        files = [*_files(source)]
        if sum(found.st_size for _, found in files) > LARGEST:
            raise Refused(f"fdm.conf: its tests are larger than {LARGEST >> 20} MiB")
        for name, _ in files:
            path = source / name
            content = as_owner(path, path.read_bytes)
            with acting_as(places.mail):
                (copy / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(copy / name, content, places.mail)
    except OSError as error:
        raise Refused(f"fdm.conf: its tests cannot be read: {error.strerror or error}") from None
    return bool(files)
