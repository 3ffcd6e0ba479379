"""What a rule of the linter yields; the driver makes a diagnostic of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulesmith.diagnostics.model import Fix, Label, Severity
    from rulesmith.source import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """A place and a sentence. `severity` is given only where it is not that of the rule."""

    at: Span
    message: str
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity | None = None
    fix: Fix | None = None
