"""The passwords of the users' fetchmailrcs, so that no line of the log shows one, whoever writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.container.rc_words import Kind, words
from rulesmith.mail.words import printable

if TYPE_CHECKING:
    from pathlib import Path

# Shorter ones would be found in words that mean something else, and are not secrets for long anyway.
_SHORTEST = 6
_BEFORE = ("pass", "password", "esmtppassword")


class Secrets:
    """What must not be said; `look` follows the files below `homes`."""

    def __init__(self, homes: Path) -> None:
        self.homes = homes
        self._seen: dict[Path, tuple[int, int]] = {}
        self._of: dict[Path, set[str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def look(self) -> None:
        """Read the files that are new or have changed."""
        found: dict[Path, tuple[int, int]] = {}
        for path in self.homes.glob("*/fetchmailrc*"):
            try:
                status = path.stat()
            except OSError:
                continue
            found[path] = (status.st_ino, status.st_mtime_ns)
        if found == self._seen:
            return
        for path, mark in found.items():
            if self._seen.get(path) != mark:
                self._of[path] = _passwords(path)
        self._seen = found
        secrets = sorted(set().union(*(self._of[path] for path in found)), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, secrets))) if secrets else None

    def without(self, text: str) -> str:
        """The text with `…` in place of each secret."""
        return text if self._pattern is None else self._pattern.sub("…", text)


def _passwords(path: Path) -> set[str]:
    try:
        text = path.read_bytes().decode("latin-1")
    except OSError:
        return set()
    found = set()
    expected = False
    for word in words(text):
        raw = text[word.start : word.end]
        if expected and word.kind is Kind.STRING:
            octets = raw.strip("\"'").encode("latin-1")
            # As it would come into the log, and as fetchmail's escapes mean it.
            for secret in (octets, octets.replace(b"\\", b"")):
                found.add(printable(secret.decode("utf-8", "backslashreplace")))
        expected = raw in _BEFORE and word.kind is Kind.OPTION
    return {secret for secret in found if len(secret) >= _SHORTEST}
