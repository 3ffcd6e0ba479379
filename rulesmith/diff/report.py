"""Everything that a run of `rulesmith diff` has found, for whatever form it is shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diff.wording import Wording

if TYPE_CHECKING:
    from rulesmith.diff.batch import Comparison, Findings


class Report:
    """The groups in the order in which they are shown, and the numbers of both sides."""

    def __init__(self, comparison: Comparison, found: Findings) -> None:
        self.old_path, self.new_path = comparison.old.path, comparison.new.path
        self.old, self.new = found.old, found.new
        self.groups = found.groups.in_order()
        self.messages = found.old.messages
        self.changed = found.groups.messages
        self.wording = Wording(self.groups, [*found.old.all_places(), *found.new.all_places()])

    @property
    def may_lose(self) -> int:
        """Messages that would be newly dropped, left by all rules, or fail."""
        return sum(group.count for group in self.groups if group.change.marked)
