"""Messages with the same change, counted together, with a few of them as examples."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rulesmith.diff.change import KINDS, Change
from rulesmith.explain.as_text import subject
from rulesmith.explain.plan import targets
from rulesmith.mail import header, words

if TYPE_CHECKING:
    from rulesmith.explain.trace import Report

_SUBJECT = 120
_LONGEST = 200
# Changes of one kind by the same rules that are told apart; a rule whose folders are named by the mail has any number.
_APART = 25
# In place of the folders of all others.
_VARIOUS = (("", "various places"),)


@dataclass(frozen=True)
class Example:
    """One message. `old` and `new` are what becomes of it; `decided_by` is the condition of NEW that decided."""

    name: str
    message_id: str
    subject: str
    old: str
    new: str
    decided_by: str


@dataclass
class Group:
    """So many messages with one change."""

    change: Change
    count: int = 0
    examples: list[Example] = field(default_factory=list)


class Groups:
    """All changes that were met, in bounded memory."""

    def __init__(self, examples: int) -> None:
        self._most = examples
        self._groups: dict[Change, Group] = {}
        self._apart: dict[Change, int] = {}

    def add(self, change: Change, name: str, raw: bytes, old: Report, new: Report) -> None:
        """One more message."""
        group = self._group(change)
        group.count += 1
        if len(group.examples) < self._most:
            group.examples.append(_example(name, raw, old, new))

    def merge(self, other: Groups) -> None:
        """The changes of messages that came later."""
        for each in other._groups.values():
            group = self._group(each.change)
            group.count += each.count
            group.examples += each.examples[: self._most - len(group.examples)]

    def _group(self, change: Change) -> Group:
        group = self._groups.get(change)
        if group is None:
            whole = _folded(change)
            apart = self._apart[whole] = self._apart.get(whole, 0) + 1
            key = change if apart <= _APART else whole
            group = self._groups.setdefault(key, Group(key))
        return group

    @property
    def messages(self) -> int:
        """How many messages would change."""
        return sum(group.count for group in self._groups.values())

    def in_order(self) -> list[Group]:
        """Those that may cost mail first; then the biggest first."""
        return sorted(
            self._groups.values(),
            key=lambda group: (not group.change.marked, -group.count, KINDS.index(group.change.kind)),
        )


def _folded(change: Change) -> Change:
    """The change without what the mail may have named."""
    return replace(
        change,
        leaves=_VARIOUS if change.leaves else (),
        enters=_VARIOUS if change.enters else (),
        stays=(),
        content=("the content changes",) if change.content else (),
    )


def _example(name: str, raw: bytes, old: Report, new: Report) -> Example:
    head = raw[: header.boundary(raw)]
    identity = words.cut(words.readable(header.message_id(head) or b""), _LONGEST)
    rule = new.decided
    decided = rule.decided if rule else None
    text = words.cut(decided.text, _LONGEST) if decided else ""
    return Example(name, identity, subject(raw, _SUBJECT), _becomes(old), _becomes(new), text)


def _becomes(report: Report) -> str:
    """What becomes of a message, in a few words."""
    to = ", ".join(targets(report))
    return words.cut(f"{report.outcome}: {to or report.reason}", _LONGEST)
