"""One house for all faults; each test finds it empty and whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.faults.house import House
from tests.parts import needed

# Small disks that a test can fill: a user's home, the journal and the queue, a maildir of rulesmith's own.
SMALL = {"home": "4m", "state": "1m", "queue": "1m", "mail": "1m"}


@pytest.fixture(scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    bed = needed(Bed, SMALL, spam=True)
    yield House(bed, Authority(tmp_path_factory.mktemp("authority")))
    bed.close()


@pytest.fixture
def house(_house: House) -> House:
    _house.clear()
    return _house
