from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import rulesmith.mda
from tests.door import warm
from tests.surprises.stage import Stage


@pytest.fixture(scope="session")
def _loaded() -> Iterator[None]:
    warm()
    with pytest.MonkeyPatch.context() as patch:
        # It is in the Received field.
        patch.setattr(rulesmith.mda, "__version__", "2.2")
        yield


@pytest.fixture
def stage(fdm22: str, _loaded: None) -> Iterator[Stage]:
    base = Path(tempfile.mkdtemp(prefix="rs."))
    base.chmod(0o755)
    yield Stage(base, fdm22)
    shutil.rmtree(base)
