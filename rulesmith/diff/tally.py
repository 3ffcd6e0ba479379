"""What the rules of one side did with all messages, and where each message left them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rulesmith.explain.plan import user_and_place
from rulesmith.explain.table import Summary

if TYPE_CHECKING:
    from rulesmith.explain.trace import Report

# Different places of one rule that are remembered; what comes after them is only "more".
_PLACES = 5
MORE = ("", "…")
_WITHOUT_PLACE = {"drop": "dropped", "keep": "kept"}

# Ends that are no rule: no rule stopped the search; it stopped at a failure, or at what is not known.
BOTTOM, STOPPED = -1, -2


class Tally(Summary):
    """A summary that also knows the flow."""

    def __init__(self) -> None:
        super().__init__()
        # Messages by the rule that ended their way; and those that a rule took and let go on.
        self.ends: Counter[int] = Counter()
        self.copies: Counter[int] = Counter()
        self.places: dict[int, Counter[tuple[str, str]]] = {}

    def add(self, report: Report) -> None:
        """One more message."""
        super().add(report)
        end = _end(report)
        self.ends[end] += 1
        for number in {plan.rule for plan in report.plan if plan.rule != end}:
            self.copies[number] += 1
        for number, place in {(plan.rule, user_and_place(plan)) for plan in report.plan if plan.stores}:
            self._note(number, place, 1)
        jobs = {plan.kind for plan in report.plan if plan.rule == end}
        for kind in jobs & _WITHOUT_PLACE.keys():
            self._note(end, ("", _WITHOUT_PLACE[kind]), 1)

    def merge(self, other: Summary) -> None:
        """The messages of another one."""
        super().merge(other)
        if isinstance(other, Tally):
            self.ends += other.ends
            self.copies += other.copies
            for number, places in other.places.items():
                for place, count in places.items():
                    self._note(number, place, count)

    def all_places(self) -> set[tuple[str, str]]:
        """Every place that is remembered."""
        return {place for places in self.places.values() for place in places}

    def _note(self, number: int, place: tuple[str, str], count: int) -> None:
        places = self.places.setdefault(number, Counter())
        places[place if place in places or len(places) < _PLACES else MORE] += count


def _end(report: Report) -> int:
    if report.outcome in ("deferred", "unknown"):
        return STOPPED
    decided = report.decided
    return BOTTOM if report.ended or decided is None else decided.number
