"""What a program was made of besides its text: everything that must still hold when it is used again."""

from __future__ import annotations

from typing import Any

User = tuple[bytes, int, int, bytes]  # name, uid, gid, home
Stat = tuple[int, int, int, int]  # mtime_ns, ctime_ns, size, inode


class Facts:
    """The stamp of a program.

    `files` are those read, by path as opened; `absent` those looked for in vain. `tags` are the tags that
    were replaced while reading, `users` and `groups` what was looked up (None: there is none of that name),
    `gids` the numbers that were checked. `umask` is set where the configuration takes it over. `unstable` says
    why the program must not be kept, None if it may.
    """

    def __init__(self) -> None:
        self.files: dict[bytes, Stat] = {}
        self.absent: set[bytes] = set()
        self.tags: dict[bytes, bytes] = {}
        self.users: dict[bytes, User | None] = {}
        self.groups: dict[bytes, int | None] = {}
        self.gids: dict[int, bool] = {}
        self.umask: int | None = None
        self.unstable: str | None = None

    def stamp(self) -> dict[str, Any]:
        """The facts as plain values, for `delivery/program_file.py`."""
        return {
            "files": self.files,
            "absent": tuple(sorted(self.absent)),
            "tags": self.tags,
            "users": self.users,
            "groups": self.groups,
            "gids": self.gids,
            "umask": self.umask,
        }
