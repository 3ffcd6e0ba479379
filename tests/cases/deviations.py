"""The list of what differs on purpose, and its comparison with what does differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cases.replay import Difference, fill, people

LIST = Path(__file__).with_name("deviations.jsonl")
# The two runs of every case: without the option (our exit statuses) and with it (fdm's).
FLAGS = {"plain": (), "fdm-exit-status": ("--fdm-exit-status",)}


@dataclass(frozen=True)
class Deviation:
    """`mode` is plain, fdm-exit-status or both; `value` is what we do instead.

    For `log+:TEXT` the value is the line that stands there instead, or None where there is none.
    """

    case: str
    field: str
    mode: str
    value: Any
    reason: str

    def concerns(self, mode: str) -> bool:
        return self.mode in (mode, "both")

    def describes(self, found: Difference) -> bool:
        if self.field != found.field:
            return False
        if self.field.startswith("log"):
            return self.value is None or fill(self.value, people()) in found.got
        return bool(fill(self.value, people()) == found.got)


def read() -> list[Deviation]:
    with LIST.open(encoding="utf-8") as file:
        return [Deviation(**json.loads(line)) for line in file]


def complaints(found: Iterable[Difference], listed: Iterable[Deviation]) -> list[str]:
    """One sentence for every difference that is not listed, and for every listed one that is not there."""
    left = list(listed)
    said = []
    for each in found:
        known = [deviation for deviation in left if deviation.describes(each)]
        if known:
            left.remove(known[0])
        else:
            said.append(f"{each.field}: recorded {each.want!r}, now {each.got!r}")
    said += [f"{each.field}: listed as {each.value!r} ({each.reason}), but that is not so" for each in left]
    return said
