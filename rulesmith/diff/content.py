"""How the message itself is different where it lies: fields that are added, removed or changed, and the body."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rulesmith.explain.as_text import shown
from rulesmith.explain.plan import user_and_place
from rulesmith.mail import header, words

if TYPE_CHECKING:
    from rulesmith.explain.trace import Report

    # The octets, and the commands of `rewrite` that were to change them and were not run.
    Version = tuple[bytes, tuple[str, ...]]

# More names than these are not told.
_FIELDS = 6
_NAME = 40


def content_changes(old: Report, new: Report) -> tuple[str, ...]:
    """What NEW does to a message that OLD does not: of places that both have, else of the first ones."""
    before, after = _versions(old), _versions(new)
    pairs = [(before[place], after[place]) for place in before if place in after]
    if not pairs and before and after:
        pairs = [(next(iter(before.values())), next(iter(after.values())))]
    return tuple(dict.fromkeys(said for mine, its in pairs if mine != its for said in _differences(mine, its)))


def _versions(report: Report) -> dict[tuple[str, str], Version]:
    commands: list[str] = []
    found: dict[tuple[str, str], Version] = {}
    for plan in report.plan:
        if plan.unknown:
            commands.append(plan.command or "")
        elif plan.stores:
            found.setdefault(user_and_place(plan), (plan.octets, tuple(commands)))
    return found


def _differences(old: Version, new: Version) -> list[str]:
    found = [] if old[1] == new[1] else ["another `rewrite`, which is not run here"]
    old_at, new_at = header.boundary(old[0]), header.boundary(new[0])
    before, after = Counter(header.fields(old[0][:old_at])), Counter(header.fields(new[0][:new_at]))
    added, gone = _names(after - before), _names(before - after)
    for word, names in (("changes", added & gone), ("adds", added - gone), ("removes", gone - added)):
        if names:
            listed = sorted(names)
            found.append(f"{word} {', '.join(listed[:_FIELDS])}{', …' if len(listed) > _FIELDS else ''}")
    if old[0][old_at:] != new[0][new_at:]:
        found.append("changes the body")
    return found or ["changes the order of the header"]


def _names(fields: Counter[bytes]) -> set[str]:
    return {words.cut(shown(field.partition(b":")[0].strip()), _NAME) for field in fields}
