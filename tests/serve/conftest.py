"""One server for each test, which ends with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.serve.service import Service

Starter = Callable[..., Service]


@pytest.fixture
def make() -> Iterator[Starter]:
    """Lays out a service; the test configures and starts it."""
    made: list[Service] = []

    def service(**more: object) -> Service:
        made.append(Service(**more))  # type: ignore[arg-type]
        return made[-1]

    yield service
    for each in made:
        each.close()
