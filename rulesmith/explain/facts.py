"""What a condition looked at, in a few words: the size, the date, the names of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.conditions import condition
from rulesmith.mail import date, header, words
from rulesmith.program import is_unknown
from rulesmith.template import expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.mail.message import Message
    from rulesmith.program import Term

# Tags that every message has; a rule that asks for a tag means another.
_CLOCK = frozenset(date.tags(0))
_USUAL = _CLOCK.union(
    b"account action rule user uid gid home hostname lines body_lines header_lines message_id".split(),
    (b"mail_file", b"mbox_file"),
)
_LONGEST = 200
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def facts(term: Term, message: Message, settings: dict[str, Any], account: bytes) -> list[str]:
    """What the message has where this condition looks; nothing for regexps, which show their match."""
    _, _, word, args = term
    if message.unknown is not None and word not in ("string", "tagged", "account"):
        return [f"the message is not known after {text(message.unknown)}"]
    told = _TOLD.get(word)
    if told is None or any(is_unknown(arg) for arg in args):
        return []
    return told(args, message, settings, account)


def text(octets: bytes) -> str:
    """Octets on one line, not too long."""
    return words.cut(words.printable(octets[: _LONGEST * 4].decode("utf-8", "backslashreplace")), _LONGEST)


def own_tags(tags: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Without those that the engine gives every message."""
    return {name: value for name, value in tags.items() if not _is_usual(name)}


def _is_usual(name: bytes) -> bool:
    return name in _USUAL or name.removeprefix(b"mail_") in _CLOCK


def for_people(seconds: int) -> str:
    """A time in its largest unit."""
    for unit, name in _UNITS:
        if seconds >= unit:
            number = seconds // unit
            return f"{number} {name}{'' if number == 1 else 's'}"
    return "0 seconds"


def _size(args: Any, message: Message, *_: Any) -> list[str]:
    return [f"the message has {len(message.raw)} bytes"]


def _age(args: Any, message: Message, *_: Any) -> list[str]:
    written = header.first(message.raw[: message.body_at], b"Date")
    if written is None:
        return ["the message has no Date field"]
    then = message.date()
    if then is None:
        return [f"its Date field is no date: {text(written)}"]
    age = max(0, message.now - then)
    return [f"the message is {for_people(age)} old ({age} seconds; Date: {text(written)})"]


def _parts(args: Any, message: Message, *_: Any) -> list[str]:
    parts = message.parts()
    if not parts:
        return ["the message has no attachments"]
    return [
        f"part {number}: {text(kind)}, {text(name) if name else 'without a name'}, {size} bytes"
        for number, (kind, name, size, container) in enumerate(parts)
        if not container
    ]


def _tagged(args: Any, message: Message, *_: Any) -> list[str]:
    own = own_tags(message.tags)
    if not own:
        return ["no rule has given the message a tag"]
    return ["its tags: " + ", ".join(f"{text(name)} ({text(value)})" for name, value in own.items())]


def _string(args: Any, message: Message, settings: dict[str, Any], account: bytes) -> list[str]:
    return [f'the string is "{text(string_of(args, message, settings))}"']


def string_of(args: Any, message: Message, settings: dict[str, Any]) -> bytes:
    """The text that a `string` condition searches."""
    return expand(args[0], message.tags, message.captures, settings["strip-characters"])


def _account(args: Any, message: Message, settings: dict[str, Any], account: bytes) -> list[str]:
    return [f'the account is "{text(account)}"']


def _verdict(args: Any, message: Message, *_: Any) -> list[str]:
    verdict = message.verdict
    if verdict is None:
        return ["there is no spam verdict"]
    symbols = ", ".join(text(name) for name in verdict["symbols"]) or "none"
    return [f"score {verdict['score']:g}, action {text(verdict['action'])}, symbols: {symbols}"]


_TOLD: dict[str, Callable[..., list[str]]] = {
    "size": _size,
    "age": _age,
    "age-invalid": _age,
    "attachment-any-name": _parts,
    "attachment-any-size": _parts,
    "attachment-any-type": _parts,
    "attachment-count": _parts,
    "attachment-total-size": _parts,
    "tagged": _tagged,
    "string": _string,
    "account": _account,
    "spam-action": _verdict,
    "spam-score": _verdict,
    "spam-symbol": _verdict,
}


def explained(word: str, args: tuple[Any, ...]) -> bytes:
    """A condition in the words of `fdm -nvv`."""
    said: bytes = condition(word).explain(args)
    return said
