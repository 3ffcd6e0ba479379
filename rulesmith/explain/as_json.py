"""A report as the object that `--format json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.explain.as_text import shown
from rulesmith.explain.facts import own_tags
from rulesmith.explain.plan import by_user, mailbox_of

if TYPE_CHECKING:
    from rulesmith.explain.trace import Change, Match, Planned, Report, RuleTrace, Tried


def as_json(name: str, report: Report) -> dict[str, Any]:
    """The same tree as the text."""
    return {
        "message": name,
        "outcome": report.outcome,
        "reason": report.reason,
        "rules": [_rule(rule) for rule in report.rules],
        "deliveries": [_planned(plan) for plan in report.plan],
        "tags": {shown(tag): shown(value) for tag, value in own_tags(report.tags).items()},
        "plan": by_user(report),
    }


def _rule(rule: RuleTrace) -> dict[str, Any]:
    decided = rule.decided
    return {
        "rule": rule.number,
        "path": rule.path,
        "line": rule.line,
        "result": rule.result,
        "why": rule.why or None,
        "decided_by": decided.text if decided else None,
        "matched": None if decided is None or decided.matched is None else shown(decided.matched),
        "conditions": [_condition(tried) for tried in rule.conditions],
        "actions": [_planned(job) for job in rule.jobs],
        "rules": [_rule(each) for each in rule.rules],
    }


def _condition(tried: Tried) -> dict[str, Any]:
    return {
        "join": tried.join or None,
        "text": tried.text,
        "result": tried.result,
        "skipped": tried.skipped,
        "match": None if tried.match is None else _match(tried.match),
        "captures": [shown(each) for each in tried.captures],
        "facts": tried.facts,
        "changes": [_change(each) for each in tried.changes],
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "area": match.area,
        "offset": match.offset,
        "length": len(match.octets),
        "text": shown(match.octets),
        "before": shown(match.before),
        "after": shown(match.after),
        "header": match.name,
        "header_offset": match.name_offset,
        "decoded": match.decoded,
    }


def _planned(plan: Planned) -> dict[str, Any]:
    entry: dict[str, Any] = {"rule": plan.rule, "action": plan.action, "kind": plan.kind, "user": plan.user}
    if plan.command is not None:
        entry["command"] = plan.command
    elif plan.path is not None:
        entry["path"] = plan.path
    if plan.detail is not None:
        entry["detail"] = plan.detail
    entry["stores"] = plan.stores
    entry["mailbox"] = mailbox_of(plan)
    entry["changes"] = [_change(each) for each in plan.changes]
    return entry


def _change(change: Change) -> dict[str, Any]:
    return {"what": change.what, "text": change.text, "diff": list(change.diff)}
