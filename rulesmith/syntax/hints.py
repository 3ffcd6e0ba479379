"""What to type instead: the mistakes that people make, the old syntax of fdm's MANUAL first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rulesmith.diagnostics.suggest import suggest
from rulesmith.syntax.expectation import CONDITIONS, ITEMS, spellings
from rulesmith.syntax.words import NUMBERS, STRINGS, UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.syntax.word import Word


_SIZES = frozenset({"BYTES", "KILOBYTES", "MEGABYTES", "GIGABYTES"})
_TIMES = frozenset(UNITS) - _SIZES


class Place(NamedTuple):
    """Where the parser stopped: the words, the place of the unexpected one, and what it would have taken."""

    words: list[Word]
    at: int
    accepted: frozenset[str]

    @property
    def word(self) -> Word:
        return self.words[self.at]

    @property
    def before(self) -> str:
        """The terminal before it."""
        return self.words[self.at - 1].type if self.at else ""

    def follows(self, terminal: str) -> bool:
        """Whether `terminal` comes later in the next few words."""
        return any(word.type == terminal for word in self.words[self.at + 1 : self.at + 4])


def meant(place: Place) -> str | None:
    """The accepted spelling that a misspelt word was meant to be."""
    word = place.word
    if word.type in STRINGS or word.value != word.written or not word.written[:1].isalpha():
        return None
    return suggest(word.written, spellings(place.accepted))


def is_condition(place: Place) -> bool:
    """A condition without `and` before it; commands are conditions only with `returns`."""
    if "AND" not in place.accepted or place.word.type not in CONDITIONS | {"NOT"}:
        return False
    return place.word.type not in ("EXEC", "PIPE") or place.follows("RETURNS") or place.follows("USER")


def is_item(place: Place) -> bool:
    """A thing to do without `action` before it."""
    return "ACTION" in place.accepted and "AND" in place.accepted and place.word.type in ITEMS


def _shown(word: Word) -> str:
    return word.written if word.type in STRINGS else f"{word.written} …"


def _missing_and(place: Place) -> str | None:
    if not is_condition(place):
        return None
    return f"put `and` or `or` between two conditions: and {_shown(place.word)}"


def _missing_action(place: Place) -> str | None:
    return f"put `action` before it: action {_shown(place.word)}" if is_item(place) else None


def _spelling(place: Place) -> str | None:
    name = meant(place)
    return f'did you mean "{name}"?' if name else None


def _quotes(place: Place) -> str | None:
    if place.word.type == "UNKNOWN" and place.accepted >= STRINGS:
        return f'put a text in quotes: "{place.word.written}"'
    return None


def _returns(place: Place) -> str | None:
    if "RETURNS" not in place.accepted:
        return None
    return 'say what the command must return: returns (0, ) or returns (, "regexp")'


def _returns_comma(place: Place) -> str | None:
    if place.word.type == "RPAR" and "COMMA" in place.accepted:
        return "the comma is needed even without a regexp: returns (0, )"
    return None


def _area(place: Place) -> str | None:
    if place.word.type == "IN" and "ALL" in place.accepted:
        return 'the area follows its regexp: "regexp" in headers'
    return None


def _parentheses(place: Place) -> str | None:
    if place.word.type == "LPAR":
        return "there are no parentheses: nest rules to group conditions"
    return None


def _negation(place: Place) -> str | None:
    if place.word.type == "BANG":
        return "write `not`"
    if place.word.type == "NOT" and place.before == "CASE":
        return '`not` comes before `case`: not case "regexp"'
    return "`not` cannot be doubled" if place.word.type == "NOT" and place.before == "NOT" else None


def _value(place: Place) -> str | None:
    if place.word.type in STRINGS and "VALUE" in place.accepted:
        return f"put `value` before it: value {place.word.written}"
    return None


def _joined(place: Place) -> str | None:
    if place.word.type in STRINGS and "PLUS" in place.accepted and place.before in STRINGS:
        return "join strings with `+`"
    return None


def _order(place: Place) -> str | None:
    """Words that must come earlier."""
    earlier = {
        "DISABLED": "`disabled` comes right after the account's name, before its users",
        "USER": "the users come before `action`",
        "USERS": "the users come before `action`",
        "FROM": "`from` comes before `to`",
        "CONTINUE": "`continue` comes last in a rule, after its actions; a rule with a block has none",
        "NONE": "`none` can only stand first",
        "RETURNS": '`returns` belongs to a condition: match pipe "command" returns (0, )',
        "EXPIRE": "`expire` comes after the cache's path",
    }
    return earlier.get(place.word.type)


def _macro_kind(place: Place) -> str | None:
    written = place.word.written
    if place.word.type == "STRMACRO" and place.accepted & NUMBERS:
        return f"$ macros are strings: a number is defined and used as %{written[1:]}"
    if place.word.type == "NUMMACRO" and place.accepted >= STRINGS:
        return f'%-macros are numbers: in a string, write "%{{{written[1:].strip("{}")}}}"'
    return None


def _unit(place: Place) -> str | None:
    if place.word.type in _SIZES and "MINUTES" in place.accepted:
        if place.word.written == "m":
            return "`m` is megabytes: write `minutes` or `months`"
        return "that is a unit of size; a time is in seconds, minutes, hours, days, weeks, months or years"
    if place.word.type in _TIMES and "KILOBYTES" in place.accepted:
        return "that is a unit of time; a size is in bytes, kilobytes, megabytes or gigabytes"
    return None


def _quoted_number(place: Place) -> str | None:
    if place.word.type == "STR" and place.accepted & NUMBERS and str(place.word.value).isdigit():
        return f"a number has no quotes: {place.word.value}"
    if place.word.type == "NUMBER" and place.accepted >= STRINGS:
        return f'put a text in quotes: "{place.word.written}"'
    return None


def _gone(place: Place) -> str | None:
    if place.word.type in ("HEADER", "DOMAIN"):
        return "fdm no longer looks up users in headers or domains; name them with `user`"
    if place.before == "PASSWD" or (place.word.value == "courier" and "PASSWD" in place.accepted):
        return "only `passwd` is there to look users up"
    return None


_HINTS: tuple[Callable[[Place], str | None], ...] = (
    _parentheses,
    _negation,
    _unit,
    _macro_kind,
    _value,
    _returns_comma,
    _area,
    _missing_and,
    _missing_action,
    _spelling,
    _quoted_number,
    _quotes,
    _returns,
    _joined,
    _gone,
    _order,
)


def hint(place: Place) -> str | None:
    """One thing to type instead, if the mistake is a known one."""
    for look in _HINTS:
        text = look(place)
        if text:
            return text
    return None
