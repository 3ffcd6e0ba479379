"""What a command is taken to return, where it is not run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.mail import glob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WRITTEN = re.compile(r"\s*(?P<command>.+?)\s+->\s*(?P<status>\d{1,3})(?:\s+(?P<output>.*))?\s*", re.DOTALL)
_MOST = 255


@dataclass(frozen=True)
class Assumption:
    """Commands that match `pattern` (fnmatch, on the command after its tags are replaced) return this.

    `message` is what a `rewrite` by that command makes of the message; None where that is not assumed.
    """

    pattern: bytes
    status: int
    output: bytes = b""
    message: bytes | None = None


def read_assumption(written: str) -> Assumption:
    """`COMMAND -> STATUS [OUTPUT]`; ValueError where it is something else."""
    found = _WRITTEN.fullmatch(written)
    if found is None or int(found["status"]) > _MOST:
        raise ValueError(f"{written!r} is not COMMAND -> STATUS [OUTPUT], with a STATUS of 0 to {_MOST}")
    output = (found["output"] or "").replace("\\n", "\n")
    return Assumption(found["command"].encode(), int(found["status"]), output.encode("utf-8", "surrogateescape"))


def assumed(assumptions: Sequence[Assumption], command: bytes) -> Assumption | None:
    """The first that is about this command."""
    return next((each for each in assumptions if _is_about(each.pattern, command)), None)


def _is_about(pattern: bytes, command: bytes) -> bool:
    return pattern == command or glob.matches(pattern, command)


def answer(assumption: Assumption, until: Callable[[bytes], bool] | None) -> tuple[int | None, bytes]:
    """What the engine is told about a condition: the status, or None where a line was enough."""
    for line in assumption.output.splitlines():
        if until is not None and until(line):
            return None, b""
    return assumption.status, b""
