"""A layout that is only given when it says the same as the old text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.layout.layout import lay_out
from rulesmith.layout.tokens import Unreadable
from rulesmith.syntax.parser import parse
from rulesmith.syntax.world import MemoryWorld

if TYPE_CHECKING:
    from rulesmith.source import Source

# What may be wrong with a file all the same: it may be a part of another one, and values have no layout.
_HARMLESS = {
    "undefined-macro", "include-not-found", "invalid-include", "missing-endif", "spurious-endif", "number-too-large",
    "size-too-large", "time-too-large", "duplicate-flag", "cache-of-imap", "empty-command", "macro-name-too-long",
}  # fmt: skip


def verified_layout(source: Source) -> str:
    """The new text of a file, which is parsed to see that it says the same. Raises Unreadable."""
    new = lay_out(source)
    world = MemoryWorld()
    before, complaints = parse(source.name, source.text, world)
    refused = (each for each in complaints if each.severity is Severity.ERROR and each.name not in _HARMLESS)
    fault = next(refused, None)
    if fault is not None:
        raise Unreadable(source, fault.at.span.start, fault.message)
    after, others = parse(source.name, new, world)
    if after != before or [each.name for each in others] != [each.name for each in complaints]:
        raise Unreadable(source, 0, "this cannot be laid out without a change of its meaning: please report it")
    return new
