"""Changes in words, the same in every form of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diff.change import (
    BESIDES,
    CONTENT,
    DELIVERED,
    DROPPED,
    FAILS,
    KEPT,
    LOST,
    MOVED,
    UNKNOWN,
)  # fmt: skip
from rulesmith.mail import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.diff.change import Change, Place
    from rulesmith.diff.group import Group

MARKS = {DROPPED: "DROPPED", LOST: "LOST", FAILS: "FAILS"}
# Longer names of places are cut, at the end.
_LONGEST = 100
_OTHERWISE = {
    "dropped": "being dropped",
    "kept": "being kept",
    "undecided": "being left by all rules",
    "deferred": "failing",
}


class Wording:
    """Knows whether users have to be named: not where there is only one."""

    def __init__(self, groups: Iterable[Group], more: Iterable[Place] = ()) -> None:
        places = [place for group in groups for place in _all_places(group.change)]
        users = {user for user, _ in (*places, *more) if user}
        self._name_users = len(users) > 1

    def place(self, place: Place) -> str:
        """A mailbox, and whose it is."""
        user, name = place
        name = words.cut(name, _LONGEST)
        return f"{name} of {user}" if self._name_users and user else name

    def _places(self, places: tuple[Place, ...]) -> str:
        named = [self.place(place) for place in places]
        return named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]

    def what(self, change: Change) -> str:
        """What would happen to the messages, as the rest of a sentence."""
        said = self._kind(change)
        if change.kind not in (CONTENT, UNKNOWN):
            said += "".join(f"; {each}" for each in change.content)
        if change.kind != BESIDES:
            said += "".join(f"; {each}" for each in change.besides)
        return said

    def _kind(self, change: Change) -> str:
        by = "".join(f", by {places_of(change)}" for _ in change.rules[:1])
        old, still = self._otherwise(change), self._still(change)
        if change.kind == DROPPED:
            return f"would be dropped{by or ', by unmatched-mail'}, instead of {old}{still}"
        if change.kind == LOST:
            taken = f" by {places_of(change)}" if change.rules else ""
            return f"would be left by all rules, instead of {old}{taken}{still}"
        if change.kind == FAILS:
            at = f" at {places_of(change)}" if change.rules else ""
            return f"would fail{at}, instead of {old}"
        if change.kind == UNKNOWN:
            return f"cannot be told: it depends on what is not run here, at {places_of(change)} (see --assume)"
        if change.kind == KEPT:
            return f"would be kept{by}, instead of {old}"
        if change.kind == DELIVERED:
            return f"would go to {self._places(change.enters)}{by}, instead of {old}"
        if change.kind == MOVED:
            return self._moved(change) + by
        if change.kind == CONTENT:
            return f"would lie in the same place with another content{by}: {'; '.join(change.content)}"
        return "; ".join(change.besides) + by

    def _moved(self, change: Change) -> str:
        if change.leaves and change.enters:
            return f"would move from {self._places(change.leaves)} to {self._places(change.enters)}"
        if change.enters:
            again = "again " if set(change.enters) & set(change.stays) else ""
            return f"would also go {again}to {self._places(change.enters)}"
        return f"would no longer go to {self._places(change.leaves)}{self._still(change)}"

    def _still(self, change: Change) -> str:
        return f" (but still to {self._places(change.stays)})" if change.stays and change.leaves else ""

    def _otherwise(self, change: Change) -> str:
        if change.was not in _OTHERWISE:
            places = change.leaves or change.stays
            return f"going to {self._places(places)}" if places else "what cannot be told"
        return _OTHERWISE[change.was]


def places_of(change: Change) -> str:
    """The rules that are why."""
    return " and ".join(rule.place for rule in change.rules)


def _all_places(change: Change) -> tuple[Place, ...]:
    return change.leaves + change.enters + change.stays


def messages(count: int) -> str:
    """A number of messages."""
    return f"{count} message{'' if count == 1 else 's'}"
