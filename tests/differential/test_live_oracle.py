"""Random configurations and messages: the real fdm 2.2 and rulesmith's `fdm`, side by side.

RULESMITH_SEED repeats a run, RULESMITH_PAIRS sets how many pairs it has. A difference is shrunk by hypothesis and
printed with the configuration, the messages and what both programs did.
"""

from __future__ import annotations

import collections
import grp
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import rulesmith.mda
from tests.differential.configuration import Pair, pairs
from tests.differential.features import REQUIRED
from tests.differential.mutation import mutated, verdict_differences
from tests.differential.run import Arena
from tests.door import warm, warm_door

PAIRS = int(os.environ.get("RULESMITH_PAIRS", "2000"))
# So many pairs must have each feature; a shorter run asks for proportionally less.
LEAST = 20 * PAIRS // 2000
# Hypothesis mutates earlier examples after its first ten, which repeats features instead of finding new ones.
BATCH = 10


@pytest.fixture(scope="module")
def start() -> int:
    given_seed = os.environ.get("RULESMITH_SEED")
    return int(given_seed) if given_seed else random.SystemRandom().randrange(10**9)


@pytest.fixture(scope="module")
def arena(fdm22: str) -> Iterator[Arena]:
    warm()
    with tempfile.TemporaryDirectory(prefix="rs.") as base, pytest.MonkeyPatch.context() as patch:
        Path(base).chmod(0o755)
        # It is in the Received line, and sizes are compared.
        patch.setattr(rulesmith.mda, "__version__", "2.2")
        yield Arena([fdm22], warm_door, base)


def _say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print("\n" + text)


def test_random_pairs_agree_with_the_real_fdm_and_cover_the_dialect(
    arena: Arena, start: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _say(capsys, f"live oracle: {PAIRS} pairs, RULESMITH_SEED={start}")
    group = (grp.getgrgid(arena.person.pw_gid).gr_name, arena.person.pw_gid)
    counts: collections.Counter[str] = collections.Counter()
    known: set[bytes] = set()

    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs(group))
    def agree(pair: Pair) -> None:
        found = arena.differences(pair)
        assert not found, _told(pair, found)
        # Every batch starts with the simplest pair.
        if pair.configuration not in known:
            known.add(pair.configuration)
            for each in (*pair.seen, "pairs"):
                counts[each] += len(pair.messages)

    batch = 0
    while counts["pairs"] < PAIRS:
        seed(start + batch)(agree)()
        batch += 1
    total = counts.pop("pairs")
    rare = {feature: counts[feature] for feature in sorted(REQUIRED) if counts[feature] < LEAST}
    _say(capsys, f"live oracle: {total} pairs agree; {arena.cured} agreed in a second attempt")
    assert not counts.keys() - REQUIRED, "features that features.py does not name"
    assert not rare, f"features in fewer than {LEAST} pairs"


def _told(pair: Pair, found: list[str]) -> str:
    files = "".join(f"\n--- {name}\n{text.decode('latin-1')}" for name, text in pair.files.items())
    messages = "".join(f"\n--- message {number}\n{text!r}" for number, text in enumerate(pair.messages))
    words = " ".join(repr(os.fsdecode(word)) for word in pair.words)
    return f"fdm {words}\n--- conf\n{pair.configuration.decode('latin-1')}{files}{messages}\n" + "\n".join(found)


def test_mutated_configurations_get_fdms_verdict(arena: Arena, start: int, capsys: pytest.CaptureFixture[str]) -> None:
    group = (grp.getgrgid(arena.person.pw_gid).gr_name, arena.person.pw_gid)
    verdicts: collections.Counter[bool] = collections.Counter()

    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs(group), st.data())
    def agree(pair: Pair, data: st.DataObject) -> None:
        configuration = mutated(data.draw, pair.configuration)
        theirs, ours = arena.verdicts(configuration, pair.files, pair.words)
        found = verdict_differences(configuration, theirs, ours)
        assert not found, f"{found}\n--- conf\n{configuration.decode('latin-1')}"
        verdicts[theirs.status == 0] += 1

    batch = 0
    while verdicts.total() < PAIRS // 2:
        seed(start + batch)(agree)()
        batch += 1
    _say(capsys, f"live oracle: verdicts on {verdicts[True]} valid and {verdicts[False]} faulty configurations agree")
    assert min(verdicts.values()) > PAIRS // 50
