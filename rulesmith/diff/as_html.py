"""The report as one HTML file that loads nothing, runs nothing, and can be read without its picture."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING

from rulesmith.diff.flow import picture, rungs
from rulesmith.diff.markup import Markup, element, joined
from rulesmith.diff.style import STYLE
from rulesmith.diff.wording import MARKS, messages

if TYPE_CHECKING:
    from rulesmith.diff.group import Example, Group
    from rulesmith.diff.report import Report
    from rulesmith.diff.tally import Tally

_EMPTY = Markup("")


def as_html(report: Report) -> str:
    """The whole file."""
    digest = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{report.old_path} → {report.new_path}"),
        element("style", Markup(STYLE)),
    )
    body = element("body", element("main", *_summary(report), *_groups(report), *_flows(report), *_rules(report)))
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _summary(report: Report) -> list[Markup]:
    lost = element("p", f"{report.may_lose} of them may be lost: they would be dropped, left by all rules, or fail.")
    return [
        element("h1", f"{report.changed or 'Nothing'} of {messages(report.messages)} would change"),
        element(
            "p", "From ", element("code", report.old_path), " to ", element("code", report.new_path), class_="about"
        ),
        lost if report.may_lose else _EMPTY,
    ]


def _groups(report: Report) -> list[Markup]:
    if not report.groups:
        return []
    heads = element("tr", *(element("th", name, scope="col") for name in ("Messages", "What would change")))
    table = element(
        "table",
        element("caption", "Messages that may be lost come first, then the biggest groups."),
        element("thead", heads),
        element("tbody", *(_group(group, report) for group in report.groups)),
        id="groups",
    )
    return [element("h2", "What would change"), element("div", table, class_="wide")]


def _group(group: Group, report: Report) -> Markup:
    mark = MARKS.get(group.change.kind)
    share = element("span", f" of {report.messages}", class_="dim")
    return element(
        "tr",
        element("th", str(group.count), share, scope="row", class_="number"),
        element(
            "td",
            _EMPTY if mark is None else element("span", mark, class_="mark"),
            report.wording.what(group.change),
            element("ul", *map(_example, group.examples)) if group.examples else _EMPTY,
        ),
    )


def _example(example: Example) -> Markup:
    decided = f", decided by {example.decided_by}" if example.decided_by else ""
    return element(
        "li",
        element("span", example.subject or "(no subject)", class_="subject"),
        element("br"),
        element("span", f"{example.message_id or '(no Message-ID)'}, {example.name}", class_="dim"),
        element("br"),
        element("span", f"{example.old} → {example.new}{decided}", class_="dim"),
    )


def _flows(report: Report) -> list[Markup]:
    changed: Counter[int] = Counter()
    for group in report.groups:
        for rule in group.change.rules:
            if rule.side == "new":
                changed[rule.number] += group.count
    sides = (("old", "Old", report.old_path, report.old), ("new", "New", report.new_path, report.new))
    figures = [
        element(
            "figure",
            element("figcaption", f"{title}: {path}"),
            picture(
                f"flow-{name}",
                f"The way of the mail through {path}",
                tally,
                rungs(tally, report.wording, changed if name == "new" else Counter()),
            ),
        )
        for name, title, path, tally in sides
    ]
    about = "The rules from the top; the width is the number of messages. Light bands are copies: the mail goes on."
    return [
        element("h2", "The way of the mail"),
        element("p", about, class_="about"),
        element("div", *figures, class_="flows"),
    ]


def _rules(report: Report) -> list[Markup]:
    sides = [_side("Old", report.old_path, report.old), _side("New", report.new_path, report.new)]
    return [element("h2", "The rules"), element("div", *sides, class_="rules")]


def _side(title: str, path: str, tally: Tally) -> Markup:
    names = ("Rule", "Tried", "Took", "Stored")
    heads = element(
        "tr", *(element("th", name, scope="col", class_="number" if at else None) for at, name in enumerate(names))
    )
    rows = [
        element(
            "tr",
            element("th", rule.place, scope="row"),
            *(
                element("td", str(number), class_="number")
                for number in (rule.tried, rule.took or "nothing", rule.stored)
            ),
        )
        for rule in sorted(tally.rules(), key=lambda rule: -rule.took)
    ]
    caption = element("caption", f"{title}: {path}; rules that took most come first")
    table = element("table", caption, element("thead", heads), element("tbody", joined(*rows)))
    return element("div", table, class_="side wide")
