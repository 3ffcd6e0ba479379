"""The manual pages of findings, by name: a check's is the docstring of its module."""

from __future__ import annotations

from rulesmith.lint.faults import FAULTS
from rulesmith.lint.table import GROUPS, NAMES, ONLINE, module


def page(name: str) -> str | None:
    """The page of a check or of a fault that the compiler finds; None for no such name."""
    if name in NAMES or name in ONLINE:
        return (module(name).__doc__ or "").rstrip()
    return FAULTS.get(name)


def known() -> list[str]:
    """All names that have a page."""
    return sorted({*NAMES, *ONLINE, *FAULTS})


def explained(name: str) -> str | None:
    """The page under its heading, with the severity."""
    text = page(name)
    if text is None:
        return None
    if name in FAULTS:
        return f"{name}\n\n{text}"
    checked = module(name)
    online = ", only with --online" if name in ONLINE else ""
    group = next((group for group, names in GROUPS.items() if name in names), "online")
    return f"{name} ({checked.SEVERITY.word}; {group}{online})\n\n{text}"
