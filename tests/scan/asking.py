"""Calls of the scan as the door makes them."""

from __future__ import annotations

from typing import Any

from rulesmith.scan import scan
from rulesmith.scan.no_verdict import CAUSES

NOW = 1_800_000_000
SETTINGS: dict[str, Any] = {
    "scan": None,
    "scan-timeout": 10,
    "scan-failure": dict.fromkeys(CAUSES, ("defer", 7200)),
    "scan-maximum-size": None,
    "trusted-hops": (),
}
DELIVER = dict.fromkeys(CAUSES, ("deliver", None))


def ask(
    raw: bytes, url: str, user: bytes = b"", since: int | None = None, warned: list[str] | None = None, **changed: Any
) -> tuple[bytes, dict[str, Any] | None]:
    """Scan; `changed` are settings, with `_` for `-`."""
    settings = SETTINGS | {"scan": url.encode()} | {name.replace("_", "-"): value for name, value in changed.items()}
    return scan(raw, settings, b"stdin", user, NOW, lambda: since, (warned if warned is not None else []).append)
