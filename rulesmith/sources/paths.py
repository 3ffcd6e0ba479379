"""glob(3) with GLOB_BRACE and GLOB_NOCHECK, over octets: how accounts name their maildirs and mboxes."""

from __future__ import annotations

import itertools
import os

from rulesmith.mail import glob

_MAGIC = b"*?[\\"


def expand(pattern: bytes) -> list[bytes]:
    """The paths that match, sorted within each brace alternative; the pattern itself if there are none."""
    found = [path for alternative in _braces(pattern) for path in _matching(alternative)]
    return found or [pattern]


def _braces(pattern: bytes) -> list[bytes]:
    """`a{b,c}d` is `abd` and `acd`; a brace that is not closed stands for itself."""
    depth = 0
    cuts: list[int] = []
    escaped = False
    for index, sign in enumerate(pattern):
        if escaped:
            escaped = False
        elif sign == 0x5C:
            escaped = True
        elif sign == 0x7B:  # {
            depth += 1
            cuts = cuts or [index]
        elif sign == 0x2C and depth == 1:  # ,
            cuts.append(index)
        elif sign == 0x7D and depth:  # }
            depth -= 1
            if not depth:
                cuts.append(index)
                break
    if depth or not cuts:
        return [pattern]
    at = cuts[0]
    ends = itertools.pairwise(cuts)
    parts = [pattern[:at] + pattern[one + 1 : other] + pattern[cuts[-1] + 1 :] for one, other in ends]
    return [done for part in parts for done in _braces(part)]


def _matching(pattern: bytes) -> list[bytes]:
    if not _has_magic(pattern):
        return [pattern] if os.path.lexists(pattern) else []
    found = [b"/"] if pattern[:1] == b"/" else [b""]
    parts = pattern.lstrip(b"/").split(b"/")
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        found = [path for folder in found for path in _inside(folder, part, last)]
    return sorted(found)


def _inside(folder: bytes, part: bytes, last: bool) -> list[bytes]:
    """The entries of a folder that match one part of a pattern; folders only, before the last part."""
    if not _has_magic(part):
        path = folder + part
        if last:
            return [path] if not part or os.path.lexists(path) else []
        return [path + b"/"] if os.path.isdir(path) else []
    try:
        names = os.listdir(folder or b".")
    except OSError:
        return []
    # A leading dot must be written (FNM_PERIOD).
    names = [name for name in names if (name[:1] != b"." or part[:1] == b".") and glob.matches(part, name)]
    if last:
        return [folder + name for name in names]
    return [folder + name + b"/" for name in names if os.path.isdir(folder + name)]


def _has_magic(pattern: bytes) -> bool:
    return any(sign in _MAGIC for sign in pattern)
