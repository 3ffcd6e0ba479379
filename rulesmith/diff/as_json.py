"""The report as the object that `--format json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rulesmith.diff.change import Place
    from rulesmith.diff.group import Group
    from rulesmith.diff.report import Report
    from rulesmith.diff.wording import Wording


def as_json(report: Report) -> dict[str, Any]:
    """Everything that the text says, and all rules of both sides."""
    return {
        "old": report.old_path,
        "new": report.new_path,
        "messages": report.messages,
        "changed": report.changed,
        "groups": [_group(group, report.wording) for group in report.groups],
        "outcomes": {"old": dict(report.old.outcomes), "new": dict(report.new.outcomes)},
        "rules": {
            "old": [rule.as_json() for rule in report.old.rules()],
            "new": [rule.as_json() for rule in report.new.rules()],
        },
    }


def _group(group: Group, wording: Wording) -> dict[str, Any]:
    change = group.change
    return {
        "kind": change.kind,
        "may_lose_mail": change.marked,
        "count": group.count,
        "text": wording.what(change),
        "was": change.was,
        "becomes": change.becomes,
        "leaves": _places(change.leaves),
        "enters": _places(change.enters),
        "stays": _places(change.stays),
        "content": list(change.content),
        "besides": list(change.besides),
        "rules": [{"side": at.side, "rule": at.number, "path": at.path, "line": at.line} for at in change.rules],
        "examples": [asdict(example) for example in group.examples],
    }


def _places(places: tuple[Place, ...]) -> list[dict[str, str]]:
    return [{"user": user, "mailbox": name} for user, name in places]
