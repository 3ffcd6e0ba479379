"""The work of one process: batches of hypothesis examples, until it has seen enough of them."""

from __future__ import annotations

import collections
import grp
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.differential.configuration import Pair, pairs
from tests.differential.mutation import mutated, verdict_differences
from tests.differential.run import Arena

# Hypothesis varies earlier examples after its first ten, which repeats features instead of finding new ones.
BATCH = 10
_settings = settings(
    max_examples=BATCH,
    database=None,
    deadline=None,
    print_blob=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
Counts = collections.Counter[str]


def agree_on_pairs(arena: Arena, start: int, step: int, enough: int) -> Counts:
    """Compare so many pairs, of the seeds start, start + step …; how often each feature occurred, and "pairs"."""
    counts: Counts = collections.Counter()
    known: set[bytes] = set()

    @_settings
    @given(pairs(_group(arena)))
    def agree(pair: Pair) -> None:
        found = arena.differences(pair)
        assert not found, _told(pair, found)
        # Every batch starts with the simplest pair.
        if pair.configuration not in known:
            known.add(pair.configuration)
            for each in (*pair.seen, "pairs"):
                counts[each] += len(pair.messages)

    _until(lambda: counts["pairs"] >= enough, agree, start, step)
    counts["cured"] = arena.cured
    return counts


def agree_on_verdicts(arena: Arena, start: int, step: int, enough: int) -> Counts:
    """Compare the verdicts on so many configurations, most of them mutated; how many were "valid" and "faulty"."""
    verdicts: Counts = collections.Counter()

    @_settings
    @given(pairs(_group(arena)), st.data())
    def agree(pair: Pair, data: st.DataObject) -> None:
        configuration = mutated(data.draw, pair.configuration)
        theirs, ours = arena.verdicts(pair, configuration)
        found = verdict_differences(configuration, theirs, ours)
        assert not found, f"{found}\n--- conf\n{configuration.decode('latin-1')}"
        verdicts["valid" if theirs.status == 0 else "faulty"] += 1

    _until(lambda: verdicts.total() >= enough, agree, start, step)
    return verdicts


def _until(done: Callable[[], bool], agree: Callable[[], None], start: int, step: int) -> None:
    batch = start
    while not done():
        test: Any = seed(batch)(agree)
        test()
        batch += step


def _group(arena: Arena) -> tuple[str, int]:
    """A group that the runs' user is in."""
    number = arena.person.pw_gid
    return grp.getgrgid(number).gr_name, number


def _told(pair: Pair, found: list[str]) -> str:
    files = "".join(f"\n--- {name}\n{text.decode('latin-1')}" for name, text in pair.files.items())
    messages = "".join(f"\n--- message {number}\n{text!r}" for number, text in enumerate(pair.messages))
    words = " ".join(repr(os.fsdecode(word)) for word in pair.words)
    return f"fdm {words}\n--- conf\n{pair.configuration.decode('latin-1')}{files}{messages}\n" + "\n".join(found)
