"""A house with a keeper, for a test of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.house import House
from tests.parts import needed


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = needed(House, tmp_path)
    yield made
    made.supervisor.close()
