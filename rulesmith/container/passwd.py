"""A user's `passwd` file as a line of Dovecot's passwd-file.

The file holds one password: `{SCHEME}…`, or without a scheme what crypt(3) makes.
"""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.container.places import Places

_SCHEME = re.compile(r"\{([A-Za-z0-9_-]+)(\.[A-Za-z0-9]+)?\}")
# Names for a password that is written down as it is.
_PLAIN = frozenset({"PLAIN", "CLEAR", "CLEARTEXT"})


class Refused(Exception):
    """A file cannot be used; the lines say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def password(content: bytes) -> str:
    """The password field for Dovecot; blanks and empty lines around the password do not count."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Refused("passwd: it is not UTF-8 text") from None
    text = text.removeprefix("\ufeff").strip(" \t\r\n")
    if not text:
        raise Refused("passwd: it is empty, and nobody can log in without a password")
    if len(text.split("\n")) > 1:
        raise Refused("passwd: it has several lines; one password is one line")
    if any(ord(letter) < 32 for letter in text):
        raise Refused("passwd: there is a control character in the password")
    scheme = _SCHEME.match(text)
    if scheme and not text[scheme.end() :]:
        raise Refused(f"passwd: there is no password after {scheme.group()}")
    if scheme and scheme[1].upper() in _PLAIN and not scheme[2]:
        # A colon would end the field, and what else Dovecot may make of it need not be known this way.
        return "{PLAIN.B64}" + base64.b64encode(text[scheme.end() :].encode()).decode()
    if ":" in text:
        raise Refused("passwd: there is a colon in it, which only {PLAIN} passwords may have")
    return text


def line(user: str, field: str) -> str:
    """One mailbox. Dovecot looks for names in lower case, with a backslash before these signs."""
    name = re.sub(r"""(['"\\])""", r"\\\1", key(user))
    return f"{name}:{field}::::::\n"


def key(user: str) -> str:
    """The name under which Dovecot looks for a user: only ASCII has a case for it."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in user)


def write(places: Places, lines: Iterable[str]) -> bool:
    """Make this the passwd-file of Dovecot, in one step; whether it was another one before."""
    text = "".join(sorted(lines)).encode()
    try:
        if places.passwd.read_bytes() == text:
            return False
    except FileNotFoundError:
        pass
    fresh = places.passwd.with_name(f"{places.passwd.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        os.fchown(descriptor, *places.readers)
        os.fchmod(descriptor, 0o640)
    fresh.rename(places.passwd)
    return True
