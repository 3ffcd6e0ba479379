"""The list of what is in a backup: JSON, one object a line, and a digest of itself as the last one.

It is written last, so a backup without it, or with half of it, is none. Paths are relative to the backup; octets in
them that are no UTF-8 are JSON's lone surrogates.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "MANIFEST"
FORMAT = 1
_PIECE = 1 << 20


class Damaged(Exception):
    """The backup is not what was written; the text says where."""


@dataclass(frozen=True)
class Entry:
    """A folder, a link (`target`) or a file (`size`, `digest`). `mtime` in nanoseconds."""

    path: str
    mode: int
    mtime: int
    kind: str
    size: int = 0
    digest: str = ""
    target: str = ""

    def line(self) -> dict[str, Any]:
        """As it is written."""
        shown: dict[str, Any] = {"path": self.path, "kind": self.kind, "mode": f"{self.mode:04o}", "mtime": self.mtime}
        if self.kind == "file":
            shown |= {"size": self.size, "sha256": self.digest}
        elif self.kind == "link":
            shown["target"] = self.target
        return shown


@dataclass
class Manifest:
    """What is in a backup; `made` is when and by which version."""

    made: str
    version: str
    entries: list[Entry] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Beside what it lists. Raises OSError."""
        digest = hashlib.sha256()
        handle = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as out:
            for each in self._lines():
                octets = json.dumps(each).encode() + b"\n"
                digest.update(octets)
                out.write(octets)
            out.write(json.dumps({"end": digest.hexdigest()}).encode() + b"\n")
            out.flush()
            os.fsync(handle)

    def _lines(self) -> Iterator[dict[str, Any]]:
        yield {"rulesmith-backup": FORMAT, "made": self.made, "version": self.version}
        for each in self.entries:
            yield each.line()

    @property
    def files(self) -> list[Entry]:
        """The files alone."""
        return [entry for entry in self.entries if entry.kind == "file"]

    @property
    def size(self) -> int:
        """The octets of all files."""
        return sum(entry.size for entry in self.entries)


def read(folder: Path) -> Manifest:
    """Raises Damaged, OSError."""
    try:
        octets = (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise Damaged(f"{folder} has no {NAME}: it is no backup, or one that was not finished") from None
    *lines, last = octets.rstrip(b"\n").split(b"\n")
    body = b"".join(line + b"\n" for line in lines)
    try:
        if json.loads(last) != {"end": hashlib.sha256(body).hexdigest()}:
            raise Damaged(f"{folder / NAME} is damaged")
        head, *rest = map(json.loads, lines)
        if head.get("rulesmith-backup") != FORMAT:
            raise Damaged(f"{folder / NAME} was written by another version ({head.get('version')})")
        return Manifest(head["made"], head["version"], [_entry(each) for each in rest])
    except (ValueError, KeyError, AttributeError) as error:
        raise Damaged(f"{folder / NAME} is damaged: {error}") from None


def _entry(said: dict[str, Any]) -> Entry:
    path = said["path"]
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"{path} leads out of the backup")
    return Entry(
        path,
        int(said["mode"], 8),
        said["mtime"],
        said["kind"],
        said.get("size", 0),
        said.get("sha256", ""),
        said.get("target", ""),
    )


def verify(folder: Path, manifest: Manifest) -> Iterator[int]:
    """Compare every file with its digest; the octets of each as it is done. Raises Damaged, OSError."""
    for entry in manifest.files:
        digest = hashlib.sha256()
        try:
            with (folder / entry.path).open("rb") as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except FileNotFoundError:
            raise Damaged(f"{folder / entry.path} is missing") from None
        if digest.hexdigest() != entry.digest:
            raise Damaged(f"{folder / entry.path} is not what was backed up")
        yield entry.size
