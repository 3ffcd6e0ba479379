"""A house with a keeper, for a test of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.house import House
from tests.parts import Missing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    try:
        made = House(tmp_path)
    except Missing as missing:
        pytest.skip(str(missing))
    yield made
    made.supervisor.close()
