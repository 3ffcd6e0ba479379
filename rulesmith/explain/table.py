"""Many messages at once: a line for each, and what each rule had to do with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass
class RuleCount:
    """What one rule had to do with the messages; `took` counts those that it matched."""

    number: int
    path: str
    line: int
    tried: int = 0
    took: int = 0
    stored: int = 0

    @property
    def place(self) -> str:
        """Where the rule stands."""
        return f"{self.path}:{self.line}"

    def as_json(self) -> dict[str, Any]:
        """In the words of a single message's report."""
        counts = {"tried": self.tried, "matched": self.took, "stored": self.stored}
        return {"rule": self.number, "path": self.path, "line": self.line, **counts}


class Summary:
    """Counts what rules do with messages."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._rules: dict[int, RuleCount] = {}

    def add(self, report: Report) -> None:
        """One more message."""
        self.outcomes[report.outcome] += 1
        for rule in report.all_rules():
            count = self._count(rule.number, rule.path, rule.line)
            count.tried += rule.result != "not tried"
            count.took += rule.result == "match"
        for number in {plan.rule for plan in report.plan if plan.stores}:
            self._rules[number].stored += 1

    def merge(self, other: Summary) -> None:
        """The messages of another summary of the same rules."""
        self.outcomes += other.outcomes
        for each in other.rules():
            count = self._count(each.number, each.path, each.line)
            count.tried += each.tried
            count.took += each.took
            count.stored += each.stored

    def _count(self, number: int, path: str, line: int) -> RuleCount:
        count = self._rules.get(number)
        if count is None:
            count = self._rules[number] = RuleCount(number, path, line)
        return count

    @property
    def messages(self) -> int:
        """How many were counted."""
        return self.outcomes.total()

    def rules(self) -> list[RuleCount]:
        """All rules, in the order of the configuration."""
        return [self._rules[number] for number in sorted(self._rules)]

    def lines(self) -> list[str]:
        """The totals, then a line for each rule."""
        total = self.messages
        counted = ", ".join(f"{number} {outcome}" for outcome, number in self.outcomes.most_common())
        found = [f"{total} message{'' if total == 1 else 's'}: {counted or 'none'}"]
        if self._rules:
            found += ["", f"{'rule':>5}  {'tried':>7}  {'matched':>7}  {'stored':>7}  place"]
        for rule in self.rules():
            counts = f"{rule.tried:>7}  {rule.took:>7}  {rule.stored:>7}"
            never = "" if rule.took else "  (took nothing)"
            found.append(f"{rule.number:>5}  {counts}  {printable(words.cut(rule.place, 80))}{never}")
        return found

    def as_json(self) -> dict[str, Any]:
        """The same numbers."""
        rules = [rule.as_json() for rule in self.rules()]
        return {"messages": self.messages, "outcomes": dict(self.outcomes.most_common()), "rules": rules}
