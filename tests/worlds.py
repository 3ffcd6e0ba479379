"""A world for a delivery under test."""

from __future__ import annotations

from typing import Any

from rulesmith.delivery.world import World

USER = (b"someone", 1000, 1000, b"/home/someone")


def a_world(**changed: Any) -> World:
    """fdm's defaults, as far as the network is concerned, but for what is `changed`; `_` stands for `-`."""
    settings: dict[str, Any] = {"timeout": 30, "proxy": None, "verify-certificates": False}
    settings.update((name.replace("_", "-"), value) for name, value in changed.items())
    return World(settings, b"stdin", b"localhost", warn=lambda _: None)
