"""The image under test, its engine, and containers of it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator

import pytest

from tests.image.house import Container, tool
from tests.image.ways import WAYS


@pytest.fixture(scope="session", autouse=True)
def engine() -> str:
    """The engine that runs the containers; chosen once. Where there is none it says why, which fails in CI."""
    found = tool("engine", limit=600)
    if found.status:
        pytest.skip(found.text.strip().rpartition("\n")[2])
    os.environ["IMAGE_ENGINE"] = found.out.decode().strip()
    return os.environ["IMAGE_ENGINE"]


def pytest_configure(config: pytest.Config) -> None:
    """Our own mark."""
    config.addinivalue_line("markers", "where(holds): only with parameters of which the function holds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a combination of parameters has no part in is not run with it."""
    gone = []
    for item in items:
        mark = item.get_closest_marker("where")
        if mark is not None and isinstance(item, pytest.Function):
            holds = mark.args[0]
            if not holds(**{name: item.callspec.params[name] for name in inspect.signature(holds).parameters}):
                gone.append(item)
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


def pytest_report_header() -> str:
    """Says which engine runs."""
    return f"image: {tool('size').out.decode().strip()}, engine: {tool('engine', limit=600).out.decode().strip()}"


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How fetchmail hands messages over."""
    return str(request.param)


@pytest.fixture
def container() -> Iterator[Container]:
    """An installation that has not been started yet; gone after the test."""
    made = Container()
    yield made
    made.close()


@pytest.fixture(scope="module")
def containers() -> Iterator[Callable[[], Container]]:
    """Makes installations that all tests of a module use."""
    made: list[Container] = []

    def make() -> Container:
        made.append(Container())
        return made[-1]

    yield make
    for each in made:
        each.close()
