"""User and password from ~/.netrc, as fdm 2.2 reads it (fdm.conf(5), ACCOUNTS).

The first `login` of the machine counts, or the one that the configuration names; its `password` must come after it.
`default` stands for every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATORS = b" \t\r\n,"


class NetrcError(Exception):
    """The file cannot be used; the text is fdm's."""


def look_up(content: bytes, host: bytes, user: bytes | None) -> tuple[bytes | None, bytes | None]:
    """The user and password for a host; `user` is the one that the configuration names, if it does.

    Raises NetrcError.
    """
    password: bytes | None = None
    login: bytes | None = None
    mine = complete = False
    words = iter(_words(content))
    for word in words:
        if word in (b"default", b"machine"):
            mine = word == b"default" or _next(words) == host
            # Of `default` there may be two.
            complete = password is not None and word == b"machine"
            login = None
        elif word == b"login" and mine:
            login = _next(words)
            user = login if user is None else user
            if login == user and complete:
                shown = login.decode("utf-8", "surrogateescape")
                raise NetrcError(f"duplicate netrc entry with the same login ({shown}) and machine")
        elif word == b"password" and mine:
            value = _next(words)
            if login is not None and login == user and password is None:
                password = value
    return user, password


def _next(words: Iterator[bytes]) -> bytes:
    word = next(words, None)
    if word is None:
        raise NetrcError("error reading .netrc")
    return word


def _words(content: bytes) -> list[bytes]:
    """The words of the file; double quotes hold blanks together, a backslash quotes the next octet."""
    words = []
    at, end = 0, len(content)
    while at < end:
        if content[at] in _SEPARATORS:
            at += 1
            continue
        quoted = content[at : at + 1] == b'"'
        at += quoted
        word = bytearray()
        while at < end:
            octet = content[at]
            if octet == 0x22 if quoted else octet in _SEPARATORS:
                at += quoted
                break
            if octet == 0x5C and at + 1 < end:
                at += 1
                octet = content[at]
            word.append(octet)
            at += 1
        words.append(bytes(word))
    return words
