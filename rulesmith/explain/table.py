"""Many messages at once: a line for each, and what each rule had to do with them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rulesmith.diagnostics.printable import printable
from rulesmith.explain.as_text import outcome_styled, subject
from rulesmith.explain.plan import targets
from rulesmith.mail import words

if TYPE_CHECKING:
    from rulesmith.explain.trace import Report

_NAME = 28
_SUBJECT = 30
_OUTCOME = len("delivered")


def line(name: str, raw: bytes, report: Report) -> str:
    """One message: its name, its subject, what becomes of it, by which rule and where."""
    decided = report.decided
    by = "" if decided is None else f"rule {decided.number} ({decided.path.rpartition('/')[2]}:{decided.line})"
    to = ", ".join(targets(report)) or report.reason
    fields = (_end(printable(name), _NAME), subject(raw, _SUBJECT).ljust(_SUBJECT))
    return "  ".join(
        (*fields, outcome_styled(report.outcome, _OUTCOME), f"{printable(by):<16}", printable(to))
    ).rstrip()


def _end(name: str, length: int) -> str:
    """The end of a name tells files of a folder apart better than its start."""
    return name.ljust(length) if len(name) <= length else "…" + name[1 - length :]


class Summary:
    """Counts what rules do with messages."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._tried: Counter[int] = Counter()
        self._matched: Counter[int] = Counter()
        self._stored: Counter[int] = Counter()
        self._places: dict[int, str] = {}

    def add(self, report: Report) -> None:
        """One more message."""
        self.outcomes[report.outcome] += 1
        for rule in report.all_rules():
            self._places[rule.number] = f"{rule.path}:{rule.line}"
            self._tried[rule.number] += rule.result != "not tried"
            self._matched[rule.number] += rule.result == "match"
        for number in {plan.rule for plan in report.plan if plan.stores}:
            self._stored[number] += 1

    def lines(self) -> list[str]:
        """The totals, then a line for each rule."""
        total = self.outcomes.total()
        counted = ", ".join(f"{number} {outcome}" for outcome, number in self.outcomes.most_common())
        found = [f"{total} message{'' if total == 1 else 's'}: {counted or 'none'}"]
        if self._places:
            found += ["", f"{'rule':>5}  {'tried':>7}  {'matched':>7}  {'stored':>7}  place"]
        for number in sorted(self._places):
            counts = f"{self._tried[number]:>7}  {self._matched[number]:>7}  {self._stored[number]:>7}"
            never = "" if self._matched[number] else "  (took nothing)"
            found.append(f"{number:>5}  {counts}  {printable(words.cut(self._places[number], 80))}{never}")
        return found
