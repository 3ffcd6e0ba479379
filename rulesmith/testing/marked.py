"""A message that says itself what should become of it, in X-Rulesmith fields that the rules do not see."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rulesmith.mail import header, words
from rulesmith.testing.case import BadCase, read_case

if TYPE_CHECKING:
    from rulesmith.testing.case import Case

SUFFIX = ".eml"
_PREFIX = b"x-rulesmith-"
_TEXTS = ("name", "account", "now", "outcome")
_LISTS = ("goes-to", "actions", "has", "has-not")
_YES_OR_NO = {"yes": True, "no": False}


def is_marked(raw: bytes) -> bool:
    """Whether the message has such a field."""
    head = raw[: header.boundary(raw)].lower()
    return head.startswith(_PREFIX) or b"\n" + _PREFIX in head


def read_marked(path: str, raw: bytes, home: str) -> Case:
    """The test that a message is. Several fields of a name, or commas in one, are several values. Raises BadCase."""
    body_at = header.boundary(raw)
    said: dict[str, Any] = {}
    for field in header.fields(raw[:body_at]):
        name, _, value = header.unfold(field).partition(b":")
        if name.lower().startswith(_PREFIX):
            _note(said, name[len(_PREFIX) :].decode("ascii", "replace").lower(), words.readable(value.strip()))
    subject = header.first(raw[:body_at], b"Subject")
    said.setdefault("name", " ".join(words.readable(subject).split()) if subject else os.path.basename(path))
    return read_case(said, {}, os.path.dirname(path), home, header.remove(raw, body_at, [b"X-Rulesmith-*"]))


def _note(said: dict[str, Any], key: str, value: str) -> None:
    if key in _LISTS:
        said.setdefault(key, []).extend(each.strip() for each in value.split(",") if each.strip())
    elif key == "spam":
        if value.lower() not in _YES_OR_NO:
            raise BadCase("X-Rulesmith-Spam is yes or no")
        said[key] = _YES_OR_NO[value.lower()]
    elif key in _TEXTS:
        said[key] = value
    else:
        raise BadCase(f"X-Rulesmith-{key.title()} means nothing here: there is {', '.join((*_LISTS, *_TEXTS, 'spam'))}")
