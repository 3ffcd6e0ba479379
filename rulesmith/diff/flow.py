"""The way of the mail as a picture: the rules are a ladder, the mail is a stream as wide as it has messages.

At each rule a band as wide as what the rule takes leaves the stream; what no rule takes flows out at the bottom.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.diff.markup import Markup, element
from rulesmith.diff.tally import BOTTOM, STOPPED
from rulesmith.diff.wording import messages
from rulesmith.mail import words

if TYPE_CHECKING:
    from rulesmith.diff.tally import Tally
    from rulesmith.diff.wording import Wording

WIDTH = 540.0
_LEFT, _STREAM = 10.0, 130.0
# Where bands end and words begin.
_EDGE, _WORDS = 190.0, 200.0
_TOP, _BEND, _GAP = 26.0, 8.0, 8.0
_LEAST = 40.0
_IDLE = 20.0
# Characters of a label and of the line below it.
_LONGEST, _LONGER = 38, 44


@dataclass
class Rung:
    """What leaves at one rule; a `copy` stays in the stream as well. Where `count` is 0, `said` is about idle rules."""

    said: str
    count: int
    kind: str = "took"
    goes: str = ""
    copy: bool = False
    changed: int = 0

    @property
    def told(self) -> str:
        """In words, for those who do not see the picture."""
        if not self.count:
            return self.said
        copy = " and lets them go on" if self.copy else ""
        goes = f" → {self.goes}" if self.goes else ""
        return f"{self.said}: {messages(self.count)}{copy}{goes}" + (
            f", {self.changed} changed" if self.changed else ""
        )


def rungs(tally: Tally, wording: Wording, changed: Counter[int]) -> list[Rung]:
    """From the top; `changed` are the messages that each rule takes and the other side's did not."""
    found: list[Rung] = []
    idle: list[str] = []

    def pause() -> None:
        if idle:
            alone = f"{idle[0]} takes nothing"
            found.append(Rung(alone if len(idle) == 1 else f"{len(idle)} rules take nothing", 0))
            idle.clear()

    for rule in tally.rules():
        ended, copies = tally.ends[rule.number], tally.copies[rule.number]
        if not ended and not copies:
            if not rule.took:
                idle.append(rule.place)
            continue
        pause()
        goes, kind = _goal(tally, rule.number, wording)
        if copies:
            found.append(Rung(rule.place, copies, "copy", goes, copy=True))
        if ended:
            found.append(Rung(rule.place, ended, kind, goes, changed=changed[rule.number]))
    pause()
    if tally.ends[STOPPED]:
        found.append(Rung("stopped by a failure, or at what is not run here", tally.ends[STOPPED], "lost"))
    if tally.ends[BOTTOM]:
        found.append(Rung("the end of the rules", tally.ends[BOTTOM], "lost"))
    return found


def _goal(tally: Tally, number: int, wording: Wording) -> tuple[str, str]:
    places = tally.places.get(number, Counter())
    kind = "drop" if places and all(place == ("", "dropped") for place in places) else "took"
    return ", ".join(wording.place(place) for place, _ in places.most_common()), kind


def picture(name: str, title: str, tally: Tally, found: list[Rung]) -> Markup:
    """One side as SVG; `name` tells its elements from those of the other side."""
    total = max(1, tally.messages)
    unit = _STREAM / total
    at, passing = _TOP, tally.messages
    drawn: list[Markup] = [element("text", f"{messages(tally.messages)} come in", x=_LEFT, y=16)]
    for rung in found:
        height = _height(rung, unit)
        left = passing if rung.copy or not rung.count else passing - rung.count
        drawn.append(_rung(rung, at, passing * unit, rung.count * unit))
        if left:
            drawn.append(_stream(at, height, left * unit))
        passing = left
        at += height
    describe = f"{messages(tally.messages)} come in. " + " ".join(f"{rung.told}." for rung in found)
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", describe, id=f"{name}-desc"),
        *drawn,
        id=name,
        viewBox=f"0 0 {WIDTH:g} {at + _GAP:.1f}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def _height(rung: Rung, unit: float) -> float:
    return max(_LEAST, rung.count * unit + _BEND + _GAP) if rung.count else _IDLE


def _stream(at: float, height: float, width: float) -> Markup:
    return element("rect", x=_LEFT, y=f"{at:.2f}", width=f"{width:.2f}", height=f"{height:.2f}", class_="stream")


def _rung(rung: Rung, at: float, passing: float, width: float) -> Markup:
    if not rung.count:
        return element("text", words.cut(rung.said, _LONGER), x=_WORDS, y=f"{at + 13:.2f}", class_="dim")
    outer, inner = _LEFT + passing, _LEFT + passing - width
    upper, lower = at + _BEND, at + _BEND + width
    path = (
        f"M{outer:.2f} {at:.2f}Q{outer:.2f} {upper:.2f} {max(outer, _EDGE):.2f} {upper:.2f}V{lower:.2f}"
        f"H{outer:.2f}Q{inner:.2f} {lower:.2f} {inner:.2f} {at:.2f}Z"
    )
    goes = f" → {rung.goes}" if rung.goes else ""
    changed = f" ({rung.changed} changed)" if rung.changed else ""
    middle = at + _BEND + width / 2
    first = max(middle, at + 13)
    return element(
        "g",
        element("title", rung.told),
        element("path", d=path, class_=rung.kind),
        element(
            "text",
            _end(rung.said),
            x=_WORDS,
            y=f"{first:.2f}",
            class_="changed" if rung.changed else None,
        ),
        element(
            "text",
            words.cut(f"{messages(rung.count)}{changed}{goes}", _LONGER),
            x=_WORDS,
            y=f"{first + 14:.2f}",
            class_="dim",
        ),
        class_="rung",
    )


def _end(place: str) -> str:
    """Of a long path the end says more."""
    return place if len(place) <= _LONGEST else "…" + place[1 - _LONGEST :]
