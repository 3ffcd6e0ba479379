"""Pages of the faults that the compiler finds, by name."""

from __future__ import annotations

FAULTS: dict[str, str] = {}
