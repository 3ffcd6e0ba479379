"""One rspamd for all tests of the scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import needed
from tests.scan.rspamd import Rspamd


@pytest.fixture(scope="session")
def rspamd() -> Iterator[Rspamd]:
    made = needed(Rspamd, Path(__file__).with_name("rules.lua"))
    yield made
    made.close()
