"""Fixes applied to texts: those that do not touch each other, the rest in the next round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.diagnostics.model import Diagnostic, Edit
    from rulesmith.source import Source

# Fixes that make place for others end sooner than this; two that undo each other would not.
ROUNDS = 10


def apply_fixes(found: Iterable[Diagnostic]) -> tuple[dict[str, str], list[Diagnostic]]:
    """The new text of each file that changes, by name, and the findings whose fixes are in it.

    A fix is made whole or not at all. Of two that touch the same text the first is made.
    """
    sources: dict[str, Source] = {}
    taken: dict[str, list[Edit]] = {}
    done = []
    for each in found:
        edits = () if each.fix is None else each.fix.edits
        # A file that is included twice is two sources, and is changed through the first.
        if not edits or any(sources.setdefault(edit.span.source.name, edit.span.source) is not edit.span.source
                            for edit in edits):  # fmt: skip
            continue
        if any(_touch(edit, other) for edit in edits for other in taken.get(edit.span.source.name, ())):
            continue
        for edit in edits:
            taken.setdefault(edit.span.source.name, []).append(edit)
        done.append(each)
    return {name: _edited(sources[name].text, edits) for name, edits in taken.items()}, done


def _touch(one: Edit, other: Edit) -> bool:
    return one != other and one.span.start <= other.span.end and other.span.start <= one.span.end


def _edited(text: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(set(edits), key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
