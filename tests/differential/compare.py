"""What two runs left behind, and where it differs."""

from __future__ import annotations

import difflib
import gzip
import os
import re
import stat
from dataclasses import dataclass

from tests.door import Outcome

CTIME = rb"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
RFC822 = rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
# What changes from run to run.
MASKS = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        (rb"\d+\.\d{3}(?= seconds)", b"N.NNN"),
        (rb"\(average \d+\.\d{3}\)", b"(average N.NNN)"),
        (rb"(?m)^(From [^\n]*?)" + CTIME + rb"$", rb"\1{CTIME}"),
        (rb"(\n\twith \S+ \(unencrypted\)\n\t)" + RFC822, rb"\1{RFC822}"),
        (rb"\b\d{10}\.\d+_\d+\.[A-Za-z0-9.-]+", b"{MAILDIRNAME}"),
        (rb"\b\d{10}\.\d+\.[A-Za-z0-9.-]+", b"{MAILDIRNAME}"),
        (rb"(?m)^version is: .*$", b"version is: {VERSION}"),
        (rb"(?m)^host is: .*$", b"host is: {HOST}"),
        # fdm says it before the last statement of the file is complete.
        (rb"(?m)^finished file .*\n", b""),
        # fdm puts the command before the account here, by mistake.
        (rb"(?m)^.*: oversize mail returned$", b"oversize mail returned"),
        # We hold the mail in memory, and make no such file.
        (rb"(?m)^using tmp directory: .*\n", b""),
        (rb"(?m)^parent: started, pid is \d+$", b"parent: started, pid is N"),
    )
]
# Ours only: the compiled program, and the journal (run.py puts it there).
OURS = ("home/.cache",)


@dataclass(frozen=True)
class Trace:
    """What can be seen of a run: fields by name, octets where they are text."""

    fields: dict[str, object]

    @classmethod
    def of(cls, outcome: Outcome, folder: str, words: tuple[bytes, ...]) -> Trace:
        """Exit status, output and log."""
        name = " ".join(os.fsdecode(word) for word in words if not word.startswith((b"$", b"%")))
        out = mask(outcome.stdout, folder)
        if b"dump" in words:
            # The order is that of the store, the time that of the run.
            out = b"\n".join(sorted(re.sub(rb" \d+$", b"", line) for line in out.split(b"\n")))
        return cls(
            {
                f"{name}: status": outcome.status,
                f"{name}: stdout": out,
                f"{name}: log": mask(outcome.stderr, folder),
            }
        )


def mask(octets: bytes, folder: str) -> bytes:
    octets = octets.replace(folder.encode(), b"{DIR}")
    for pattern, instead in MASKS:
        octets = pattern.sub(instead, octets)
    return octets


def look(folder: str) -> Trace:
    """Every file and folder: where it lies, its mode and group, and its octets unless it is a cache."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = f"{top}/{name}"
            short = os.fsdecode(mask(os.fsencode(path[len(folder) + 1 :]), folder))
            if short.startswith(OURS):
                continue
            about = os.lstat(path)
            entry: tuple[object, ...] = (stat.filemode(about.st_mode), about.st_gid)
            if stat.S_ISREG(about.st_mode):
                if name.endswith(".cache"):
                    entry = ("cache",)
                else:
                    entry += (_text(path, folder),)
            # Several mails of one maildir have the same masked name.
            found.setdefault(short, []).append(entry)
    return Trace({short: sorted(entries, key=repr) for short, entries in found.items()})


def _text(path: str, folder: str) -> bytes:
    with open(path, "rb") as file:
        octets = file.read()
    if octets[:2] == b"\x1f\x8b":
        octets = b"gzip: " + gzip.decompress(octets)
    return mask(octets, folder)


def refusal(outcome: Outcome) -> bytes | None:
    """What fdm says of a configuration that it refuses, without the line number, which is often not the fault's own."""
    lines = outcome.stderr.splitlines()
    found = re.fullmatch(rb"(.*) at line \d+", lines[-1]) if outcome.status == 1 and lines else None
    return found[1] if found else None


def differences(theirs: Trace, ours: Trace) -> list[str]:
    """One paragraph for each field in which they differ: lines of theirs with `-`, of ours with `+`."""
    out = []
    for name in sorted({*theirs.fields, *ours.fields}):
        left, right = theirs.fields.get(name), ours.fields.get(name)
        if left != right:
            out.append("\n    ".join((name, *_changes(left, right))))
    return out


def _changes(left: object, right: object) -> list[str]:
    lines = [repr(line) for line in _lines(left)], [repr(line) for line in _lines(right)]
    if lines[0] == lines[1]:
        return [f"- {left!r}", f"+ {right!r}"]
    return [f"{line[0]} {line[2:]}" for line in difflib.ndiff(*lines) if line[0] in "-+"]


def _lines(value: object) -> list[object]:
    """A value's lines, or those of the octets in it."""
    if isinstance(value, bytes):
        return list(value.splitlines(keepends=True))
    if isinstance(value, list | tuple):
        return [line for each in value for line in _lines(each)]
    return [value]
