"""Writes a test from what the rules do now."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from rulesmith.explain.plan import target_of
from rulesmith.testing.suite import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rulesmith.explain.assumption import Assumption
    from rulesmith.explain.trace import Report


def recorded(
    name: str,
    file: str,
    now: int,
    home: str,
    report: Report,
    spam: str | None,
    assumed: Sequence[Assumption],
    known: Sequence[tuple[bytes, bytes]],
) -> str:
    """A `[[test]]` for the message in `file` that passes as long as the rules do what they do now.

    `spam` is a file with rspamd's answer; `known` are the keys that were found in caches.
    """
    lines = ["[[test]]", f"name = {_quoted(name)}", f"file = {_quoted(file)}"]
    lines.append(f"now = {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}")
    if spam is not None:
        lines.append(f"spam = {_quoted(spam)}")
    if assumed:
        lines.append(f"commands = {{ {', '.join(_commands(assumed))} }}")
    if known:
        lines.append(f"caches = {{ {', '.join(_caches(known, home))} }}")
    places = [_from_home(target_of(plan), home) for plan in report.plan if plan.stores]
    if places:
        lines.append(f"goes-to = [{', '.join(_quoted(_literal(place)) for place in places)}]")
    if report.outcome != "delivered":
        lines.append(f"outcome = {_quoted(report.outcome)}")
    return "\n".join(lines) + "\n"


def append(path: str, text: str, config: str) -> None:
    """Add a test to a file; a new one names the configuration, where its own name does not."""
    with open(path, "a", encoding="utf-8") as file:
        if file.tell():
            file.write("\n")
        elif os.path.basename(path) != config + SUFFIX:
            file.write(f"config = {_quoted(config)}\n\n")
        file.write(text)


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, or with a number behind it where another test has it."""
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name


def _commands(assumed: Sequence[Assumption]) -> Iterator[str]:
    for each in assumed:
        output = f", output = {_quoted(_text(each.output))}" if each.output else ""
        yield f"{_quoted(_text(each.pattern))} = {{ status = {each.status}{output} }}"


def _caches(known: Sequence[tuple[bytes, bytes]], home: str) -> Iterator[str]:
    for path in dict.fromkeys(path for path, _ in known):
        keys = ", ".join(_quoted(_text(key)) for cache, key in known if cache == path)
        yield f"{_quoted(_from_home(_text(path), home))} = [{keys}]"


def _from_home(place: str, home: str) -> str:
    inside = home != "/" and place.startswith(home.rstrip("/") + "/")
    return "~" + place[len(home.rstrip("/")) :] if inside else place


def _literal(place: str) -> str:
    """So that no sign of it means something in `goes-to`."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in place)


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def relative(file: str, beside: str) -> str:
    """The name of a message for a file of tests."""
    return os.path.relpath(file, os.path.dirname(os.path.abspath(beside)))
