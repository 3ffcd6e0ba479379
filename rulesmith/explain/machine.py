"""What a dry run may look at on this machine: caches that exist, and, when it is asked to, commands."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

from rulesmith.delivery import command
from rulesmith.delivery.world import World
from rulesmith.effects import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

User = tuple[bytes, int, int, bytes]


def look_up(path: bytes, key: bytes) -> bool:
    """Whether a cache has a key, without making or changing a file."""
    if not os.path.exists(path):
        return False
    name = os.fsdecode(path)
    quoted = name.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        base = sqlite3.connect(f"file:{quoted}?mode=ro", uri=True)
        try:
            return base.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None
        finally:
            base.close()
    except sqlite3.Error as error:
        raise Failure(f"{name}: {error}") from None


def runner(settings: dict[str, Any]) -> Callable[..., tuple[int | None, bytes]]:
    """Runs commands, when the user asked for it."""
    world = World(settings, b"dry-run", b"", lambda _: None)

    def run(
        purpose: str, line: bytes, stdin: bytes | None, user: User, until: Callable[[bytes], bool] | None
    ) -> tuple[int | None, bytes]:
        return command.run(line, stdin, user, world, purpose == "rewrite", until)

    return run
