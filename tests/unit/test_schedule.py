from __future__ import annotations

from rulesmith.delivery.schedule import PROBE, STUBBORN, Waiting, due, pause


def _names(waiting: list[Waiting], answered: float, now: float) -> list[bytes]:
    return [each.name for each in due(waiting, answered, now)]


def test_pauses_grow_from_seconds_to_a_quarter_of_an_hour() -> None:
    pauses = [pause(tries) for tries in range(1, 50)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (5, 900)


def test_a_message_nobody_has_tried_is_due() -> None:
    assert _names([Waiting(b"1", b"", 0, None, 0)], 0, 100) == [b"1"]


def test_what_waits_for_one_thing_is_tried_by_its_oldest_and_its_longest_waiting() -> None:
    waiting = [Waiting(b"%d" % number, b"c", 9, 1000 - number, 0) for number in range(5)]
    assert _names(waiting, 0, 1000 + PROBE - 1) == []
    assert _names(waiting, 0, 1000 + PROBE) == [b"0", b"4"]


def test_when_it_answers_all_are_tried_in_their_order() -> None:
    waiting = [Waiting(b"%d" % number, b"c", 9, 1000 + number, 0) for number in range(5)]
    assert _names(waiting, 1010.5, 1011) == [b"0", b"1", b"2", b"3", b"4"]
    assert _names(waiting, 1001.5, 1011) == [b"0", b"1"]


def test_a_message_that_is_at_fault_itself_waits_for_its_pause() -> None:
    waiting = [Waiting(b"1", b"c", 9, 1000, STUBBORN)]
    assert _names(waiting, 1500, 1000 + 899) == []
    assert _names(waiting, 1500, 1000 + 900) == [b"1"]


def test_a_clock_that_was_set_back_holds_up_nobody() -> None:
    assert _names([Waiting(b"1", b"c", 9, 1000, STUBBORN)], 0, 10) == [b"1"]
