"""The comparison of docs/promise.md, for some of its faults: rulesmith comes through them unharmed, and the table can
tell harm."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.comparison.fault import FAULTS, Fault
from tests.parts import PROJECT

FEW = ("no fault at all", "the first delivery works, the second fails", "a NUL in the body (by hand)")


@pytest.mark.usefixtures("_house")  # where there is none, this is skipped like everything that needs one
def test_rulesmith_loses_repeats_and_alters_nothing_where_others_do() -> None:
    command = [sys.executable, "-m", "tests.comparison", *FEW]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    head, _, *lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    # A column's name may have a pipe in it.
    ours = [number - len(head) for number, name in enumerate(head) if name.startswith("rulesmith")]
    assert len(ours) == 2
    assert [line[0] for line in lines] == list(FEW)
    for line in lines:
        assert [line[number] for number in ours] == ["0", "0"], line
    # Both pipes: nothing goes wrong without a fault, and something does with each of these.
    assert [[cell == "0" for cell in line[2:4]] for line in lines] == [[True, True], [False, False], [False, False]]


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_table_in_the_documentation_has_every_fault(fault: Fault) -> None:
    assert f"\n| {fault.name} |" in (PROJECT / "docs" / "promise.md").read_text()
