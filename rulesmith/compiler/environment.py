"""The start of a run as the compiler sees it: who, where, when, and what it may look at.

Every answer is written down (facts.py), because a program may be used again only while all of them hold.
`Environment` is what compiling needs; `Imagined` is one for tests and for texts that have no machine;
world.py has the real one.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rulesmith.compiler.facts import Facts, Stat, User
from rulesmith.compiler.replace import Replacement, UnknownUser
from rulesmith.mail import date
from rulesmith.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WORLD_BITS = 0o006  # others may read or write
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Environment:
    """What is outside of the texts. `me` is the invoking user: (name, uid, gid, home); with -h, home is $HOME.

    `path` is the main configuration file as given, `now` Unix time, `default_user` the value of -u, `macros` those
    of -D (names with their sigil), `site` the file of settings that come first, None for no such file. Warnings go
    to `on_warning`, and those that every start must repeat are kept in `standing`. Where commands are not run, their
    values are unknown.
    """

    def __init__(
        self,
        path: str,
        me: User,
        hostname: bytes,
        now: int,
        *,
        default_user: bytes | None = None,
        macros: Mapping[str, str | int] | None = None,
        site: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path
        self.site = site
        self.me = me
        self.hostname = hostname
        self.now = now
        self.default_user = default_user
        self.macros = {} if macros is None else dict(macros)
        self.facts = Facts()
        self.commands: list[str] = []
        self.warnings: list[str] = []
        self.standing: list[str] = []
        self._on_warning = on_warning

    # What the parser asks (syntax/world.py).

    def expand_include(self, path: str) -> list[str]:
        """fdm.conf(5), include: as written, else beside the main file; tags and `~` are replaced first."""
        replacement = Replacement(self, self.default_user)
        try:
            expanded = replacement.path(path.encode("utf-8", "surrogateescape"))
        except UnknownUser as error:
            expanded = b"~" + error.name
        if not expanded:
            return []
        written = os.fsdecode(expanded)
        return [written, (os.path.dirname(self.path) or ".") + "/" + written]

    def read(self, path: str) -> bytes:
        """The octets of a configuration file, a directory being empty. Raises OSError."""
        name = os.fsencode(path)
        try:
            content, stat, mode, unstable = self.open(name)
        except OSError:
            self.facts.absent.add(name)
            raise
        self.facts.files[name] = stat
        if unstable:
            self.facts.unstable = unstable
        if mode & WORLD_BITS and self.me[1] != 0:
            text = f"{path}: world readable or writable"
            self.standing.append(text)
            self.warn(text)
        return content

    def read_site(self, path: str) -> bytes:
        """The octets of the site file, which everybody may read. Raises OSError, also for a directory."""
        name = os.fsencode(path)
        try:
            content, stat, mode, unstable = self.open(name)
        except OSError:
            self.facts.absent.add(name)
            raise
        if modes.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        self.facts.files[name] = stat
        if unstable:
            self.facts.unstable = unstable
        if mode & modes.S_IWOTH:
            text = f"{path}: world writable"
            self.standing.append(text)
            self.warn(text)
        return content

    def run(self, command: str, name: str) -> str | None:  # noqa: ARG002 — the protocol's
        """Nothing is run here; the value is unknown."""
        self.commands.append(command)
        return None

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        if self._on_warning is not None:
            self._on_warning(text)

    # What the compiler asks.

    def clock(self) -> dict[bytes, bytes]:
        """The tags that hold at every start: host name and the time."""
        return {b"hostname": self.hostname, **date.tags(self.now)}

    def user(self, name: bytes) -> User | None:
        """A user whose existence the program depends on."""
        if name not in self.facts.users:
            self.facts.users[name] = self.find_user(name)
        return self.facts.users[name]

    def group(self, name: bytes) -> int | None:
        """The number of a group, None where there is none of that name."""
        if name not in self.facts.groups:
            self.facts.groups[name] = self.find_group(name)
        return self.facts.groups[name]

    def has_gid(self, gid: int) -> bool:
        if gid not in self.facts.gids:
            self.facts.gids[gid] = self.find_gid(gid)
        return self.facts.gids[gid]

    def umask(self) -> int:
        """The file mode creation mask that the run began with."""
        self.facts.umask = self.find_umask()
        return self.facts.umask

    def read_private(self, path: bytes) -> tuple[bytes, bool]:
        """The octets of a file with secrets, and whether others may read or write it. Raises OSError."""
        try:
            content, stat, mode, unstable = self.open(path)
        except OSError:
            self.facts.absent.add(path)
            raise
        self.facts.files[path] = stat
        if unstable:
            self.facts.unstable = unstable
        return content, bool(mode & WORLD_BITS)

    # What a real environment answers otherwise.

    def open(self, path: bytes) -> tuple[bytes, Stat, int, str | None]:
        """Content, stamp, mode, and why the content may change unseen. Raises OSError."""
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def find_user(self, name: bytes) -> User | None:
        return self.me if name == self.me[0] else None

    def find_group(self, name: bytes) -> int | None:  # noqa: ARG002 — who has no groups need not look
        return None

    def find_gid(self, gid: int) -> bool:
        return gid == self.me[2]

    def find_umask(self) -> int:
        return 0o022


class Holdings(Value):
    """What an imagined machine has: files with their modes, users, groups, and commands with their output."""

    files: Mapping[str, bytes] = _NOTHING
    modes: Mapping[str, int] = _NOTHING
    users: Sequence[User] = ()
    groups: Mapping[bytes, int] = _NOTHING
    outputs: Mapping[str, str] | None = None


class Imagined(Environment):
    """An environment that consists of what it is told."""

    def __init__(
        self,
        holdings: Holdings | None = None,
        *,
        path: str = "conf",
        me: User = (b"user", 1000, 1000, b"/home/user"),
        hostname: bytes = b"host",
        now: int = 0,
        default_user: bytes | None = None,
        macros: Mapping[str, str | int] | None = None,
        site: str | None = None,
    ) -> None:
        super().__init__(path, me, hostname, now, default_user=default_user, macros=macros, site=site)
        self.holdings = Holdings() if holdings is None else holdings

    def run(self, command: str, name: str) -> str | None:  # noqa: ARG002 — the protocol's
        self.commands.append(command)
        outputs = self.holdings.outputs
        return None if outputs is None else outputs[command]

    def open(self, path: bytes) -> tuple[bytes, Stat, int, str | None]:
        name = os.fsdecode(path)
        if name not in self.holdings.files:
            return super().open(path)
        content = self.holdings.files[name]
        return content, (0, 0, len(content), 1), self.holdings.modes.get(name, 0o600), None

    def find_user(self, name: bytes) -> User | None:
        for user in (self.me, *self.holdings.users):
            if user[0] == name or (name.isdigit() and user[1] == int(name)):
                return user
        return None

    def find_group(self, name: bytes) -> int | None:
        return self.holdings.groups.get(name)

    def find_gid(self, gid: int) -> bool:
        return gid == self.me[2] or gid in self.holdings.groups.values()
