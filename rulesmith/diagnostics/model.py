"""What a finding is."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from rulesmith.value import Value

if TYPE_CHECKING:
    from rulesmith.source import Span


class Severity(IntEnum):
    """How much a finding matters; the lower-case name is what is printed."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Label(Value):
    """A place, with a short text for the caret line."""

    span: Span
    text: str = ""


class Edit(Value):
    """Text that takes the place of what stands at `span`; a span of no length is a place to insert at."""

    span: Span
    text: str


class Fix(Value):
    """A change that is safe to make without asking: what it does in a few words, and its edits."""

    title: str
    edits: tuple[Edit, ...]


class Diagnostic(Value):
    """One finding.

    `name` is its only identity (kebab-case, named by the fault). `message` is one line that stands alone,
    without a full stop. `fdm` is fdm's own text for it ("syntax error", "invalid path") when the
    configuration must be refused as fdm refuses it; None for findings that fdm does not have at start. `fix` is there
    where the fault can be put right safely.
    """

    name: str
    severity: Severity
    message: str
    at: Label
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fdm: str | None = None
    fix: Fix | None = None

    @property
    def refuses(self) -> bool:
        """Whether no program can be made of the configuration."""
        return self.fdm is not None
