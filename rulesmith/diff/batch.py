"""Some messages under both configurations: the work of one process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.diff.change import compare
from rulesmith.diff.group import Groups
from rulesmith.diff.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.diff.side import Side
    from rulesmith.explain.mails import Mail

# A batch is full with so many messages or octets, whichever comes first.
_MESSAGES = 200
_OCTETS = 1 << 20


class Findings:
    """What is known of the messages so far."""

    def __init__(self, examples: int) -> None:
        self.groups = Groups(examples)
        self.old = Tally()
        self.new = Tally()

    def merge(self, other: Findings) -> None:
        """What is known of the messages behind them."""
        self.groups.merge(other.groups)
        self.old.merge(other.old)
        self.new.merge(other.new)


@dataclass(frozen=True)
class Comparison:
    """The two sides. `same_rules` says that they cannot differ in what neither of them knows."""

    old: Side
    new: Side
    same_rules: bool
    examples: int

    def of(self, mails: Iterable[Mail]) -> Findings:
        """What a batch shows."""
        found = Findings(self.examples)
        for mail in mails:
            old, new = self.old.explain(mail.raw), self.new.explain(mail.raw)
            found.old.add(old)
            found.new.add(new)
            change = compare(old, new, self.same_rules)
            if change is not None:
                found.groups.add(change, mail.name, mail.raw, old, new)
        return found


def batches(mails: Iterable[Mail]) -> Iterator[list[Mail]]:
    """The messages in the order in which they come, cut so that a batch takes little memory."""
    batch: list[Mail] = []
    octets = 0
    for mail in mails:
        if batch and (len(batch) >= _MESSAGES or octets + len(mail.raw) > _OCTETS):
            yield batch
            batch, octets = [], 0
        batch.append(mail)
        octets += len(mail.raw)
    if batch:
        yield batch
