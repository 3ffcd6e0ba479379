"""Random configurations and messages: the real fdm 2.2 and rulesmith's `fdm`, side by side.

RULESMITH_SEED repeats a run, RULESMITH_PAIRS sets how many pairs it has. A difference is shrunk by hypothesis and
shown with the configuration, the messages and what both programs did.
"""

from __future__ import annotations

import gc
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

import rulesmith.mda
from tests.differential.features import REQUIRED
from tests.differential.run import Arena, memory
from tests.differential.shards import BATCH, Counts, agree_on_pairs, agree_on_verdicts
from tests.door import warm, warm_door

PAIRS = int(os.environ.get("RULESMITH_PAIRS", "2000"))
# So many pairs must have each feature; a shorter run asks for proportionally less.
LEAST = 20 * PAIRS // 2000
PROCESSES = os.cpu_count() or 1


@pytest.fixture(scope="module")
def start() -> int:
    given = os.environ.get("RULESMITH_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**9)


@pytest.fixture(scope="module")
def arena(fdm22: str) -> Iterator[Arena]:
    with tempfile.TemporaryDirectory(prefix="rs.", dir=memory()) as base:
        Path(base).chmod(0o755)
        yield Arena([fdm22], warm_door, base)


def _prepare() -> None:
    """For a process that shall compare."""
    warm()
    # It is in the Received line, and sizes are compared.
    vars(rulesmith.mda)["__version__"] = "2.2"
    gc.freeze()


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Fresh processes: a fork of this one, which holds thousands of tests, would itself fork at twice the cost."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=_prepare) as made:
        yield made


def _in_processes(
    pool: ProcessPoolExecutor, work: Callable[[Arena, int, int, int], Counts], arena: Arena, start: int, enough: int
) -> Counts:
    """The counts of all processes together; a failure of one is raised with its text."""
    arenas = []
    for number in range(PROCESSES):
        arenas.append(replace(arena, base=f"{arena.base}/{work.__name__}{number}"))
        Path(arenas[-1].base).mkdir(mode=0o755)
    share = -(-enough // PROCESSES)
    seeds = range(start, start + PROCESSES)
    shares = pool.map(work, arenas, seeds, [PROCESSES] * PROCESSES, [share] * PROCESSES)
    return sum(shares, Counts())


def test_random_pairs_agree_with_the_real_fdm_and_cover_the_dialect(
    pool: ProcessPoolExecutor, arena: Arena, start: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nlive oracle: {PAIRS} pairs, RULESMITH_SEED={start}")
    counts = _in_processes(pool, agree_on_pairs, arena, start, PAIRS)
    total, cured = counts.pop("pairs"), counts.pop("cured", 0)
    with capsys.disabled():
        print(f"live oracle: {total} pairs agree, {cured} of the configurations in a second attempt")
    assert not counts.keys() - REQUIRED, "features that features.py does not name"
    assert not {feature: counts[feature] for feature in sorted(REQUIRED) if counts[feature] < LEAST}


def test_mutated_configurations_get_fdms_verdict(
    pool: ProcessPoolExecutor, arena: Arena, start: int, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = _in_processes(pool, agree_on_verdicts, arena, start, PAIRS // 2)
    with capsys.disabled():
        print(f"\nlive oracle: the verdicts agree on {dict(verdicts)} configurations")
    assert min(verdicts["valid"], verdicts["faulty"]) >= PAIRS // 2 // BATCH
