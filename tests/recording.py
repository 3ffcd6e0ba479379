"""A World whose warnings and events a test can read."""

from __future__ import annotations

import os
from typing import Any

from rulesmith.delivery.world import World

# The settings that local deliveries and folder accounts look at, with fdm's defaults.
DEFAULTS: dict[str, Any] = {
    "maximum-size": 32 << 20,
    "delete-oversized": False,
    "lock-types": ("flock",),
    "lock-timeout": 10,
    "timeout": 900,
    "no-create": False,
    "file-group": None,
    "file-umask": 0o077,
}
ME = (b"me", os.getuid(), os.getgid(), b"/home/me")


class RecordingWorld(World):
    """Settings are given by name, `_` for `-`."""

    __slots__ = ("events", "warnings")

    def __init__(self, **settings: Any) -> None:
        self.warnings: list[bytes] = []
        self.events: list[tuple[Any, ...]] = []
        chosen = DEFAULTS | {name.replace("_", "-"): value for name, value in settings.items()}
        assert chosen.keys() == DEFAULTS.keys()
        super().__init__(
            chosen, b"stdin", b"ho/st:1", self.warnings.append, lambda *event: self.events.append(event), 3
        )

    def named(self, event: str) -> list[list[Any]]:
        """The arguments of every event of that name."""
        return [args for name, *args in self.events if name == event]
