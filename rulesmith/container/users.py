"""The users' folders below /config/users: which there are, and what is in them.

A look costs a few calls a user, so it can be taken every second; contents are read when they are asked for.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.container import rule_tests
from rulesmith.container.accounts import as_owner
from rulesmith.container.passwd import key
from rulesmith.container.services import LONGEST, escape

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("passwd", "fetchmailrc", "fdm.conf")
# What stands for the tests beside fdm.conf, all together.
TESTS = "tests"


class Signature(NamedTuple):
    """What changes with a file's content."""

    device: int
    number: int
    size: int
    changed: int


@dataclass
class Seen:
    """What a look has found."""

    # For each user the files he has.
    users: dict[str, dict[str, Signature]] = field(default_factory=dict)
    # Folders and files that cannot be used, and why; the key is what they are called in the log.
    refused: dict[str, str] = field(default_factory=dict)


def look(folder: Path) -> Seen:
    """The users below `folder`. Raises OSError when that cannot be known now, which is not the same as no users."""
    seen = Seen()
    for octets in sorted(as_owner(folder, lambda: os.listdir(os.fsencode(folder)))):
        path = folder / os.fsdecode(octets)
        if octets.startswith(b".") or not as_owner(folder, path.is_dir):
            continue
        reason = _fault(octets, seen)
        name = octets.decode(errors="backslashreplace")
        if reason:
            seen.refused[name] = reason
            continue
        files = seen.users.setdefault(name, {})
        for file in FILES:
            _look_at(path / file, name, files, seen)
        _look_at_tests(path, name, files, seen)
    return seen


def _fault(octets: bytes, seen: Seen) -> str | None:
    """Why a folder's name cannot be a user's."""
    try:
        name = octets.decode()
    except UnicodeDecodeError:
        return "not a user: the name of the folder is not UTF-8"
    if any(ord(letter) < 32 or letter == "\x7f" for letter in name):
        return "not a user: there is a control character in the name"
    if ":" in name:
        return "not a user: Dovecot's list of users cannot hold a name with a colon"
    if name.startswith("#"):
        return "not a user: Dovecot takes a name with # at its start for a comment"
    if len(escape(name)) > LONGEST:
        return "not a user: the name is too long"
    same = next((other for other in seen.users if key(other) == key(name)), None)
    if same is not None:
        return f"not a user: to Dovecot it is the same name as {same}"
    return None


def _look_at(path: Path, user: str, files: dict[str, Signature], seen: Seen) -> None:
    try:
        files[path.name] = signature(path)
    except FileNotFoundError:
        return
    except OSError as error:
        seen.refused[f"{user}/{path.name}"] = f"{path.name}: it cannot be read: {error.strerror}"


def _look_at_tests(folder: Path, user: str, files: dict[str, Signature], seen: Seen) -> None:
    try:
        state = rule_tests.state(folder)
    except OSError as error:
        seen.refused[f"{user}/{TESTS}"] = f"{TESTS}: they cannot be read: {error.strerror}"
        return
    if state:
        files[TESTS] = Signature(0, hash(state), len(state), 0)


def signature(path: Path) -> Signature:
    """Of a file of a user. Raises OSError, also where it is no file."""
    found = as_owner(path.parent, path.stat)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a file")
    return Signature(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def content(path: Path) -> bytes:
    """What is in a file of a user."""
    return as_owner(path, path.read_bytes)
