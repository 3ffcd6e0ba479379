"""Nobody but its owner reads the configuration: it holds passwords of mailboxes here and elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Numbers of capabilities(7).
_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER = 1, 2, 3


def tighten(top: Path, say: Callable[[str], None]) -> None:
    """Take the rights of group and others from everything below; say where that cannot be done, once a reason.

    A file of somebody else is left alone where root could not read it any more afterwards.
    """
    if not top.exists():
        return
    left: dict[str, list[Path]] = {}
    for path in _below(top, left):
        try:
            found = path.lstat()
            if stat.S_ISLNK(found.st_mode) or not found.st_mode & 0o077:
                continue
            if found.st_uid and not reads_everything():
                left.setdefault(_belongs(found.st_uid), []).append(path)
                continue
            path.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
        except OSError as error:
            left.setdefault(error.strerror or str(error), []).append(path)
    for why, paths in left.items():
        others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        say(f"{paths[0]}{others}: others may be able to read this, and it cannot be changed from here: {why}")


def reads_everything() -> bool:
    """Whether root has the rights here that root usually has: to read and to change files of others."""
    if os.geteuid():
        return False
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    rights = int(held.split()[1], 16)
    return bool(rights >> _FOWNER & 1 and (rights >> _DAC_OVERRIDE & 1 or rights >> _DAC_READ_SEARCH & 1))


def _belongs(uid: int) -> str:
    return (
        f"it belongs to user {uid}, and this container has not the right to read what only he can read; "
        "`chown -R 0:0` the folder on the host"
    )


def _below(top: Path, left: dict[str, list[Path]]) -> list[Path]:
    found = [top]
    for folder, names, files in os.walk(
        top, onerror=lambda error: left.setdefault(error.strerror or "", []).append(Path(error.filename))
    ):
        found += (Path(folder, name) for name in (*names, *files))
    return found
