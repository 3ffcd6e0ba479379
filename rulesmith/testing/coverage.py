"""Which rules the tests have seen match, and of each condition whether they have seen it true and false."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.explain.recorder import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.explain.trace import Report
    from rulesmith.program import Program, Rule


class Coverage:
    """Adds up what reports show. `all` counts for its rule only, since it is always true."""

    def __init__(self, program: Program) -> None:
        self._rules = list(_flat(program[4]))
        self._matched: set[int] = set()
        self._outcomes: set[tuple[int, int, bool]] = set()

    def add(self, report: Report) -> None:
        """One more message."""
        for rule in report.all_rules():
            if rule.result == "match":
                self._matched.add(rule.number)
            for position, tried in enumerate(rule.conditions):
                if tried.skipped is None and tried.result is not None:
                    self._outcomes.add((rule.number, position, tried.result))

    @property
    def matched(self) -> tuple[int, int]:
        """How many rules have matched, of how many."""
        return len(self._matched), len(self._rules)

    @property
    def outcomes(self) -> tuple[int, int]:
        """How many outcomes of conditions were seen, of how many."""
        wanted = list(self._wanted())
        return sum((rule[0], position, result) in self._outcomes for rule, position, result in wanted), len(wanted)

    @property
    def percent(self) -> float:
        """The share of both; 100 for a configuration without rules."""
        seen = self.matched[0] + self.outcomes[0]
        total = self.matched[1] + self.outcomes[1]
        return 100.0 * seen / total if total else 100.0

    def _wanted(self) -> Iterator[tuple[Rule, int, bool]]:
        for rule in self._rules:
            for position, (_, _, word, _) in enumerate(rule[2]):
                if word != "all":
                    yield from ((rule, position, True), (rule, position, False))

    def gaps(self) -> list[str]:
        """What no test has seen, each with its place."""
        found = []
        for rule in self._rules:
            number, (path, line) = rule[0], rule[1]
            if number not in self._matched:
                found.append(f"{path}:{line}: rule {number} has never matched")
            for each, position, result in self._wanted():
                if each is rule and (number, position, result) not in self._outcomes:
                    said = "true" if result else "false"
                    found.append(f"{path}:{line}: rule {number}: {words_of(rule[2][position])} was never {said}")
        return found


def _flat(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    for rule in rules:
        yield rule
        yield from _flat(rule[6] or ())
