"""The configuration is broken, missing, unreadable or half written while mail comes in."""

from __future__ import annotations

import pytest

from tests.faults.fetching import MODES, NO_MAIL
from tests.faults.house import RULES, House, messages


def spoil(house: House, fault: str) -> None:
    file = house.bed.home / "fdm.conf"
    if fault == "missing":
        file.unlink()
    elif fault == "unreadable":
        file.chmod(0)
    elif fault == "a folder":
        file.unlink()
        file.mkdir()
    else:
        house.configure(
            {
                "broken": RULES.replace("match all action", "match all actoin"),
                "empty": "",
                "without the account": RULES.replace('account "stdin"', 'account "other"'),
                "without rules": RULES[: RULES.index("match")],
                "an include that is not there": RULES + 'include "nosuch"\n',
                "an action that is not there": RULES.replace('"user:Received" }', '"nosuch" }'),
                "not a text": "\0\udcff".join(RULES),
            }[fault].replace("\udcff", "\u00ff")
        )


FAULTS = (
    "missing",
    "unreadable",
    "a folder",
    "broken",
    "empty",
    "without the account",
    "without rules",
    "an include that is not there",
    "an action that is not there",
    "not a text",
)


@pytest.mark.parametrize("mode", MODES)
def test_mail_waits_until_the_configuration_is_whole(house: House, mode: str) -> None:
    # More than a pipe holds, so that whoever does not read to the end is found out.
    plans = messages(1, size=100_000)
    house.send(plans)
    for fault in FAULTS:
        house.clear_home()
        house.configure(RULES)
        spoil(house, fault)
        done = house.fetching.poll(mode)
        assert b"MDA returned nonzero status 75" in done.err, (fault, done)
        assert b"Traceback" not in done.err
        result = house.balance(plans, house.fetching.waiting(mode))
        assert (result.wrong, result.waiting) == ([], len(plans)), fault

    house.clear_home()
    house.configure(RULES)
    assert house.fetching.poll(mode).status == 0
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.done) == ([], len(plans))


@pytest.mark.parametrize("at", range(60, len(RULES), 97))
def test_a_half_written_configuration_delivers_right_or_not_at_all(house: House, at: int) -> None:
    plans = dict(list(messages(3).items())[1:])
    house.configure(RULES[:at])
    kept = [message for message in plans if house.hand(message).status == 75]
    result = house.balance(plans, kept)
    assert result.wrong == []
    house.configure(RULES)
    assert [house.hand(message).status for message in kept] == [0] * len(kept)
    result = house.balance(plans, [])
    assert (result.wrong, result.done) == ([], len(plans))


@pytest.mark.parametrize("mode", MODES)
def test_a_mailbox_that_is_not_there_keeps_its_mail_at_the_provider(house: House, mode: str) -> None:
    plans = messages(3)
    house.send(plans)
    house.configure(RULES.replace("-d user@", "-d nobody@"))
    assert house.fetching.poll(mode).err.count(b"nonzero status 75") == 2
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.waiting, result.done) == ([], 2, 1)
    house.configure(RULES)
    assert house.fetching.poll(mode).status == 0
    assert house.fetching.poll(mode).status == NO_MAIL
    result = house.balance(plans, house.fetching.waiting(mode))
    assert (result.wrong, result.done) == ([], 3)
