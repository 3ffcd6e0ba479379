"""What is different for one message: where it would lie, what would be in it, what else would be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.diff.content import content_changes
from rulesmith.explain.plan import user_and_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.explain.trace import Planned, Report

Place = tuple[str, str]  # user and mailbox

# What a change is, the worst first; those of MARKED may cost mail.
DROPPED, LOST, FAILS = "dropped", "lost", "fails"
UNKNOWN, KEPT, MOVED, DELIVERED, CONTENT, BESIDES = "unknown", "kept", "moved", "delivered", "content", "besides"
KINDS = (DROPPED, LOST, FAILS, UNKNOWN, KEPT, MOVED, DELIVERED, CONTENT, BESIDES)
MARKED = (DROPPED, LOST, FAILS)

_BECAME = {"dropped": DROPPED, "undecided": LOST, "deferred": FAILS, "kept": KEPT, "delivered": DELIVERED}
_REWORKS = ("add-header", "remove-header", "rewrite")
_EFFECTS = ("exec", "add-to-cache", "remove-from-cache")


@dataclass(frozen=True)
class RuleAt:
    """A rule of NEW, or of OLD where nothing but its absence changes something."""

    side: str
    number: int
    path: str
    line: int

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Change:
    """What messages of one group have in common.

    `was` and `becomes` are outcomes: those of a report, but "undecided" where "kept" is nobody's decision. `leaves` are
    the places that lose a copy, `enters` those that get one, `stays` the rest. `content` says what differs in the
    message, `besides` which actions that store nothing do. `rules` are why.
    """

    kind: str
    was: str
    becomes: str
    leaves: tuple[Place, ...] = ()
    enters: tuple[Place, ...] = ()
    stays: tuple[Place, ...] = ()
    content: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    rules: tuple[RuleAt, ...] = ()

    @property
    def marked(self) -> bool:
        """Whether mail may get lost by it."""
        return self.kind in MARKED


def outcome_of(report: Report) -> str:
    """The outcome of a report, "undecided" where no rule says what becomes of the message."""
    return "undecided" if report.outcome == "kept" and report.reason != "keep" else report.outcome


def compare(old: Report, new: Report, same_rules: bool) -> Change | None:
    """What is different; None where nothing is. `same_rules`: what neither can know is not different then."""
    was, becomes = outcome_of(old), outcome_of(new)
    if "unknown" in (was, becomes):
        if same_rules:
            return None
        blamed = _stopped(old, "old") if was == "unknown" else ()
        blamed += _stopped(new, "new") if becomes == "unknown" else ()
        return Change(UNKNOWN, was, becomes, rules=blamed)
    before, after = (Counter(place for place, _ in _stored(each)) for each in (old, new))
    leaves, enters, stays = _listed(before - after), _listed(after - before), _listed(before & after)
    content = content_changes(old, new)
    besides = _besides(old, new)
    if was != becomes:
        kind = _BECAME[becomes]
    elif leaves or enters:
        kind = _moved(old, new) if not enters else MOVED
    elif content:
        kind = CONTENT
    elif besides:
        kind = BESIDES
    else:
        return None
    rules = _reasons(kind, old, new, leaves, enters)
    return Change(kind, was, becomes, leaves, enters, stays, content, besides, rules)


def _moved(old: Report, new: Report) -> str:
    """Of a message that is in fewer places: a copy that is left is no reason to pass over a new drop."""
    if _is_dropped(new) and not _is_dropped(old):
        return DROPPED
    return LOST if new.ended and not old.ended else MOVED


def _is_dropped(report: Report) -> bool:
    decided = None if report.ended else report.decided
    return decided is not None and any(plan.kind == "drop" for plan in decided.jobs)


def _listed(places: Counter[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places.elements()))


def _stored(report: Report) -> list[tuple[Place, Planned]]:
    return [(user_and_place(plan), plan) for plan in report.plan if plan.stores]


def _reasons(
    kind: str, old: Report, new: Report, leaves: tuple[Place, ...], enters: tuple[Place, ...]
) -> tuple[RuleAt, ...]:
    if kind == FAILS:
        return _stopped(new, "new")
    if kind in (DROPPED, KEPT):
        # Without a rule it is a setting: unmatched-mail, or keep.
        return () if new.ended else _decided(new, "new")
    if kind == LOST:
        return _decided(old, "old")
    if kind == CONTENT:
        return _differing(old, new, _REWORKS)
    if kind == BESIDES:
        return _differing(old, new, _EFFECTS)
    if enters:
        return _rules(new, "new", (plan.rule for place, plan in _stored(new) if place in enters))
    gone = _rules(old, "old", (plan.rule for place, plan in _stored(old) if place in leaves))
    # Where the rule that ended the way in OLD delivered them, the one that ends it now is why.
    ended = not new.ended and gone[-1:] == _decided(old, "old")
    return _decided(new, "new") if ended else gone


def _rules(report: Report, side: str, numbers: Iterable[int]) -> tuple[RuleAt, ...]:
    wanted = set(numbers)
    return tuple(
        RuleAt(side, rule.number, rule.path, rule.line) for rule in report.all_rules() if rule.number in wanted
    )


def _decided(report: Report, side: str) -> tuple[RuleAt, ...]:
    rule = report.decided
    return () if rule is None else _rules(report, side, (rule.number,))


def _stopped(report: Report, side: str) -> tuple[RuleAt, ...]:
    """The rule in which nothing went on."""
    return _rules(report, side, [rule.number for rule in report.all_rules() if rule.why and _is_stop(rule.result)][:1])


def _is_stop(result: str) -> bool:
    return result in ("unknown", "failed", "match")


def _differing(old: Report, new: Report, kinds: tuple[str, ...]) -> tuple[RuleAt, ...]:
    """The rules of NEW with such actions that OLD has not, else those of OLD that NEW has not."""
    before, after = (Counter(_said(plan) for plan in each.plan if plan.kind in kinds) for each in (old, new))
    added, gone = after - before, before - after
    if added:
        return _rules(new, "new", (plan.rule for plan in new.plan if plan.kind in kinds and _said(plan) in added))
    return _rules(old, "old", (plan.rule for plan in old.plan if plan.kind in kinds and _said(plan) in gone))


def _said(plan: Planned) -> tuple[str, str]:
    return plan.kind, plan.command or plan.detail or ""


def _besides(old: Report, new: Report) -> tuple[str, ...]:
    """The kinds of actions without a delivery that are not the same."""
    before, after = (Counter(_said(plan) for plan in each.plan if plan.kind in _EFFECTS) for each in (old, new))
    more = [f"would also do {kind}" for kind, _ in after - before]
    less = [f"would no longer do {kind}" for kind, _ in before - after]
    return tuple(sorted({*more, *less}))
