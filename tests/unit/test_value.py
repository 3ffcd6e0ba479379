"""Values: their fields, and when two are equal."""

from __future__ import annotations

import pickle

import pytest

from rulesmith.value import Value


class Pair(Value):
    left: int
    right: str = "r"
    beside: int = 0

    _beside = frozenset({"beside"})


class Other(Value):
    left: int
    right: str = "r"


def test_fields_are_given_by_place_or_name_and_the_rest_have_their_default() -> None:
    assert vars(Pair(1, beside=2)) == {"left": 1, "right": "r", "beside": 2}
    assert repr(Pair(1)) == "Pair(left=1, right='r', beside=0)"
    with pytest.raises(TypeError):
        Pair()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Pair(1, wrong=2)  # type: ignore[call-arg]


def test_values_are_equal_that_say_the_same_wherever_they_stand() -> None:
    assert Pair(1, "a", 1) == Pair(1, "a", 2)
    assert len({Pair(1, "a", 1), Pair(1, "a", 2)}) == 1
    assert Pair(1, "a") != Pair(1, "b")
    assert Pair(1) != Other(1)
    assert Pair(1).said() == {"left": 1, "right": "r"}


def test_another_value_is_made_of_one_by_its_changes() -> None:
    assert vars(Pair(1, "a", 7).but(right="b")) == {"left": 1, "right": "b", "beside": 7}


def test_a_value_comes_back_from_another_process() -> None:
    assert vars(pickle.loads(pickle.dumps(Pair(1, "a", 7)))) == {"left": 1, "right": "a", "beside": 7}
