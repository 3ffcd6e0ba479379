"""One test: a message, what is assumed around it, and what should become of it."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.explain.assumption import Assumption
from rulesmith.scan.no_verdict import NoVerdict
from rulesmith.scan.reply import Reply
from rulesmith.scan.reply import read as read_reply
from rulesmith.testing.letter import FIELDS, BadLetter, compose

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUTCOMES = ("delivered", "dropped", "kept", "deferred")
_AROUND = ("account", "now", "spam", "commands", "caches")
_EXPECTED = ("goes-to", "outcome", "actions", "tags", "has", "has-not")
_OWN = ("name", "file", "message")
KEYS = (*_OWN, *FIELDS, *_AROUND, *_EXPECTED)
# What holds for all tests of a file may stand at its top.
TOP = ("config", *_AROUND)
_SPAM = {"score": 20.0, "required_score": 15.0, "action": "add header"}
_HAM = {"score": 0.0, "required_score": 15.0, "action": "no action"}
_SPAM_KEYS = ("score", "required", "action", "symbols")


class BadCase(Exception):
    """A test cannot be understood; the text says what is wrong."""


@dataclass
class Case:
    """A test as it is carried out. Of what is expected, None stands for "does not matter"."""

    name: str
    raw: bytes
    account: str | None
    now: int | None
    spam: Reply | None
    commands: list[Assumption]
    caches: set[tuple[bytes, bytes]]
    goes_to: list[str] | None = None
    outcome: str | None = None
    actions: list[str] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    has: list[str] = field(default_factory=list)
    has_not: list[str] = field(default_factory=list)


def read_case(
    said: Mapping[str, Any], around: Mapping[str, Any], folder: str, home: str, raw: bytes | None = None
) -> Case:
    """A test out of a `[[test]]`; `around` is what stands at the top of the file. Raises BadCase.

    `raw` is the message where it is not in `said`.
    """
    known(said, KEYS)
    name = _text(said, "name") or ""
    if not name:
        raise BadCase("a test needs a name")
    both = {**around, **said}
    now = _clock(both.get("now"))
    commands = [*read_commands(said, folder), *read_commands(around, folder)]
    raw = _letter(said, folder, now) if raw is None else raw
    case = Case(name, raw, _text(both, "account"), now, _spam(both, folder), commands, set())
    for path, keys in _table(both, "caches").items():
        where = os.fsencode(_at_home(path, home))
        case.caches |= {(where, key.encode()) for key in _texts({path: keys}, path) or []}
    case.goes_to = _texts(said, "goes-to")
    if case.goes_to is not None:
        case.goes_to = [_at_home(each, home) for each in case.goes_to]
    case.outcome = _text(said, "outcome")
    if case.outcome is not None and case.outcome not in _OUTCOMES:
        raise BadCase(f"`outcome` is one of {', '.join(_OUTCOMES)}, not {case.outcome!r}")
    if case.outcome is None and case.goes_to:
        case.outcome = "delivered"
    case.actions = _texts(said, "actions")
    case.tags = {key: _as_text(value, f"tags.{key}") for key, value in _table(said, "tags").items()}
    case.has, case.has_not = _texts(said, "has") or [], _texts(said, "has-not") or []
    if not any(key in said for key in _EXPECTED):
        raise BadCase(f"the test expects nothing: give one of {', '.join(_EXPECTED)}")
    return case


def known(said: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """BadCase for a word that means nothing here."""
    for key in said:
        if key not in keys:
            near = did_you_mean(key, keys)
            raise BadCase(f"`{key}` means nothing here" + ("" if near is None else f": {near}"))


def _letter(said: Mapping[str, Any], folder: str, now: int | None) -> bytes:
    given = [key for key in ("file", "message") if key in said]
    fields = [key for key in FIELDS if key in said]
    if len(given) > 1 or (given and fields):
        both = [*given, *fields]
        raise BadCase(f"`{both[0]}` is the whole message, so `{both[1]}` cannot be given too")
    if "file" in said:
        return _read(folder, _text(said, "file") or "")
    if "message" in said:
        return (_text(said, "message") or "").encode("utf-8")
    try:
        return compose({key: said[key] for key in fields}, now)
    except BadLetter as error:
        raise BadCase(str(error)) from None


def _read(folder: str, name: str) -> bytes:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except OSError as error:
        raise BadCase(f"{name}: {os.strerror(error.errno or 0)}") from None


def _spam(said: Mapping[str, Any], folder: str) -> Reply | None:
    given = said.get("spam")
    if given is None:
        return None
    if isinstance(given, bool):
        return Reply(_SPAM if given else _HAM, b"")
    if isinstance(given, str):
        try:
            return read_reply(200, {}, _read(folder, given))
        except NoVerdict as error:
            raise BadCase(f"{given}: {error}") from None
    if not isinstance(given, dict):
        raise BadCase("`spam` is true, false, the name of a file with rspamd's answer, or { score = …, action = … }")
    known(given, _SPAM_KEYS)
    symbols = given.get("symbols", [])
    scores = symbols if isinstance(symbols, dict) else dict.fromkeys(_texts(given, "symbols") or [], 0.0)
    answer = {
        "score": _number(given, "score", 0.0),
        "required_score": _number(given, "required", 15.0),
        "action": _as_text(given.get("action", "no action"), "spam.action"),
        "symbols": {name: {"score": _number(scores, name, 0.0)} for name in scores},
    }
    return Reply(answer, b"")


def read_commands(said: Mapping[str, Any], folder: str) -> list[Assumption]:
    """What commands are assumed to return. Raises BadCase."""
    return [_command(name, answer, folder) for name, answer in _table(said, "commands").items()]


def _command(name: str, answer: Any, folder: str) -> Assumption:
    pattern = name.encode()
    if isinstance(answer, int) and not isinstance(answer, bool):
        return Assumption(pattern, answer)
    if isinstance(answer, str):
        return Assumption(pattern, 0, answer.encode())
    if not isinstance(answer, dict):
        raise BadCase(f"what `{name}` returns is a number, a text, or {{ status = …, output = … }}")
    known(answer, ("status", "output", "message"))
    message = answer.get("message")
    status = answer.get("status", 0)
    if not isinstance(status, int):
        raise BadCase(f"the `status` of `{name}` is a number")
    raw = None if message is None else _read(folder, _as_text(message, "message"))
    return Assumption(pattern, status, _as_text(answer.get("output", ""), "output").encode(), raw)


def _clock(given: Any) -> int | None:
    """A time: as TOML writes it, as a text of that form, or in Unix time; of this machine's zone where it has none."""
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    if isinstance(given, str):
        try:
            given = dt.datetime.fromisoformat(given)
        except ValueError:
            raise BadCase(f"`now` is a time like 2025-03-11 09:30:00, not {given!r}") from None
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        given = dt.datetime.combine(given, dt.time(12))
    if not isinstance(given, dt.datetime):
        raise BadCase("`now` is a time like 2025-03-11 09:30:00")
    return int(given.timestamp())


def _at_home(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def _table(said: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = said.get(key, {})
    if not isinstance(table, dict):
        raise BadCase(f"`{key}` is a table: {{ name = … }}")
    return table


def _text(said: Mapping[str, Any], key: str) -> str | None:
    return None if said.get(key) is None else _as_text(said[key], key)


def _as_text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise BadCase(f"`{key}` is a text in quotes")
    return value


def _texts(said: Mapping[str, Any], key: str) -> list[str] | None:
    value = said.get(key)
    if value is None:
        return None
    return [_as_text(each, key) for each in value] if isinstance(value, list) else [_as_text(value, key)]


def _number(said: Mapping[str, Any], key: str, default: float) -> float:
    value = said.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCase(f"`{key}` is a number")
    return float(value)
