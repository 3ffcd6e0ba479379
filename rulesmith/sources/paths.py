"""glob(3) with GLOB_BRACE and GLOB_NOCHECK, over octets: how accounts name their maildirs and mboxes."""

from __future__ import annotations

import itertools
import os

from rulesmith.mail import glob

_MAGIC = b"*?["


def expand(pattern: bytes) -> list[bytes]:
    """The paths that match, sorted within each brace alternative; the pattern itself if there are none."""
    found = [path for alternative in _braces(pattern) for path in _matching(alternative)]
    return found or [pattern]


def _braces(pattern: bytes) -> list[bytes]:
    """`a{b,c}d` is `abd` and `acd`; `{}` and a brace that is not closed stand for themselves."""
    at = pattern.find(b"{")
    while at >= 0 and pattern[at + 1 : at + 2] == b"}":
        at = pattern.find(b"{", at + 2)
    if at < 0:
        return [pattern]
    depth = 0
    cuts = [at]
    for index in range(at, len(pattern)):
        sign = pattern[index]
        if sign == 0x7B:  # {
            depth += 1
        elif sign == 0x2C and depth == 1:  # ,
            cuts.append(index)
        elif sign == 0x7D:  # }
            depth -= 1
            if not depth:
                cuts.append(index)
                break
    if depth:
        return [pattern]
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
