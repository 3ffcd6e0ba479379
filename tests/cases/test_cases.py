"""All recorded runs of the real fdm 2.2 (PCRE2), replayed through our door, once with each exit status."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.cases import deviations, replay
from tests.door import warm, warm_door

CASES = {case["id"]: case for case in replay.load()}
LISTED = deviations.read()


def run(name: str, mode: str) -> list[replay.Difference]:
    return replay.replay(CASES[name], warm_door, deviations.FLAGS[mode], plain=mode == "plain")


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Future[list[replay.Difference]]]]:
    """The differences of the selected cases; they run side by side while the tests read the results in order."""
    wanted = [
        (str(item.callspec.params["name"]), str(item.callspec.params["mode"]))
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_a_recorded_case.__name__
    ]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=warm) as pool:
        yield {each: pool.submit(run, *each) for each in wanted}


@pytest.mark.parametrize("mode", deviations.FLAGS)
@pytest.mark.parametrize("name", CASES)
def test_a_recorded_case(name: str, mode: str, found: dict[tuple[str, str], Future[list[replay.Difference]]]) -> None:
    listed = [each for each in LISTED if each.case == name and each.concerns(mode)]
    said = deviations.complaints(found[name, mode].result(), listed)
    assert not said, "\n".join(said)


def test_all_cases_are_there() -> None:
    assert len(CASES) == 872


def test_every_deviation_names_a_case_a_mode_and_a_reason() -> None:
    for each in LISTED:
        assert each.case in CASES, each
        assert each.mode in {*deviations.FLAGS, "both"}, each
        assert each.reason, each


def test_no_deviation_is_listed_twice() -> None:
    keys = [(each.case, each.field, mode) for each in LISTED for mode in deviations.FLAGS if each.concerns(mode)]
    assert len(keys) == len(set(keys))
