"""The messages to look at: files, maildirs, mboxes, folders of `.eml` files. They are only read."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.sources.mbox import cut_messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PARTS = ("cur", "new")


@dataclass(frozen=True)
class Mail:
    """One message. `octets` is how much of its source has been read for it, for a progress bar."""

    name: str
    raw: bytes
    octets: int


class Mails:
    """What the names on a command line stand for. OSError where one cannot be read."""

    def __init__(self, names: Sequence[str]) -> None:
        self._sources = [_Source(name) for name in names]

    @property
    def several(self) -> bool:
        """Whether this may be more than one message."""
        return len(self._sources) > 1 or any(source.kind != "file" for source in self._sources)

    @property
    def octets(self) -> int:
        """The size of all of them; 0 for what is not known before it is read."""
        return sum(source.octets for source in self._sources)

    def __iter__(self) -> Iterator[Mail]:
        for source in self._sources:
            yield from source.read()


class _Source:
    def __init__(self, name: str) -> None:
        self.name = name
        self.files: list[str] = []
        self.octets = 0
        if name == "-":
            self.kind = "file"
            return
        if stat.S_ISDIR(os.stat(name).st_mode):
            self.kind = "folder"
            self.files = _files(name)
            self.octets = sum(os.path.getsize(path) for path in self.files)
            return
        self.kind = "mbox" if not name.endswith(".eml") and _is_mbox(name) else "file"
        self.files = [name]
        self.octets = os.path.getsize(name)

    def read(self) -> Iterator[Mail]:
        if self.name == "-":
            yield Mail("-", sys.stdin.buffer.read(), 0)
        elif self.kind == "mbox":
            yield from self._cut()
        else:
            for path in self.files:
                try:
                    with open(path, "rb") as file:
                        raw = file.read()
                except FileNotFoundError:
                    if self.kind == "file":
                        raise
                    continue  # a mail reader has moved it since the folder was read
                yield Mail(path, raw, len(raw))

    def _cut(self) -> Iterator[Mail]:
        descriptor = os.open(self.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for number, (raw, _, (start, end)) in enumerate(cut_messages(descriptor, self.octets, self.octets), 1):
                yield Mail(f"{self.name}#{number}", raw, end - start)
        finally:
            os.close(descriptor)


def _is_mbox(name: str) -> bool:
    with open(name, "rb") as file:
        return file.read(5) == b"From "


def _files(folder: str) -> list[str]:
    """A maildir's messages, else the `.eml` files in the folder and below it."""
    if os.path.isdir(os.path.join(folder, "cur")):
        parts = [os.path.join(folder, part) for part in _PARTS]
        listed = [entry for part in parts if os.path.isdir(part) for entry in os.scandir(part)]
        return sorted(entry.path for entry in listed if entry.name[0] != "." and entry.is_file())
    found = [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names if name.endswith(".eml")]
    return sorted(found)
