"""The tests beside a user's fdm.conf: a new one that fails them does not take effect."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rulesmith.container import rule_tests
from rulesmith.container.household import Household
from tests.container.house import RULES, USER, House

SORTED = RULES.replace("match all", 'match "^Subject: list" in headers action maildir "/mail/list"\nmatch all')
TESTS = """\
[[test]]
name = "Mail of the list"
subject = "list"
goes-to = "/mail/list"

[[test]]
name = "What is left"
file = "tests/left/other.eml"
outcome = "dropped"
"""
MARKED = "X-Rulesmith-Outcome: dropped\nSubject: other\n\nbody\n"


def put(house: House, name: str, text: str) -> None:
    path = house.places.users / USER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def in_use(house: House) -> str:
    return (house.places.home(USER) / "fdm.conf").read_text()


@pytest.fixture
def tested(house: House) -> House:
    """A user whose rules pass their tests."""
    put(house, rule_tests.FILE, TESTS)
    put(house, "tests/left/other.eml", "Subject: other\n\nbody\n")
    put(house, "tests/marked.eml", MARKED)
    put(house, "tests/plain.eml", "Subject: of no test\n\nbody\n")
    house.user(USER, conf=SORTED)
    house.look(1)
    return house


def test_rules_that_pass_take_effect_and_leave_no_copy(tested: House) -> None:
    assert tested.said == [f"{USER}: fdm.conf: in use"]
    assert [path.name for path in tested.places.home(USER).iterdir()] == ["fdm.conf"]


def test_rules_that_fail_do_not_and_the_log_says_which_test(tested: House) -> None:
    tested.user(USER, conf=SORTED.replace("Subject: list", "Subject: lists"))
    tested.look()
    assert [line.removeprefix(f"{USER}: ") for line in tested.said[1:]] == [
        "fdm.conf: its tests fail: 3 tests: 2 ok, 1 failed",
        "FAIL  Mail of the list (fdm.conf.tests.toml:1)",
        "      outcome:",
        "        - delivered",
        "        + dropped (a rule drops it)",
        "      goes-to:",
        "        - /mail/list",
        "      the last rule that took it: rule 1 (fdm.conf:4), decided by all",
        "fdm.conf: refused; the last good one goes on working",
    ]
    assert in_use(tested) == SORTED
    users = tested.report()["users"]
    assert "fdm.conf: its tests fail" in str(users)
    told = len(tested.said)
    tested.look(3)
    assert len(tested.said) == told


def test_a_message_with_its_own_expectation_is_a_test(tested: House) -> None:
    put(tested, "tests/marked.eml", MARKED.replace("dropped", "delivered"))
    tested.user(USER, conf=SORTED + "# changed\n")
    tested.look()
    assert f"{USER}: FAIL  other (tests/marked.eml)" in tested.said
    assert in_use(tested) == SORTED


def test_they_are_looked_at_again_when_the_tests_change(tested: House) -> None:
    changed = SORTED.replace("/mail/list", "/mail/lists")
    tested.user(USER, conf=changed)
    tested.look()
    assert in_use(tested) == SORTED
    put(tested, rule_tests.FILE, TESTS.replace("/mail/list", "/mail/lists"))
    tested.look()
    assert in_use(tested) == changed
    assert tested.said[-1] == f"{USER}: fdm.conf: in use"


def test_they_are_looked_at_again_when_the_tests_go(tested: House) -> None:
    changed = SORTED.replace("/mail/list", "/mail/lists")
    tested.user(USER, conf=changed)
    tested.look()
    (tested.places.users / USER / rule_tests.FILE).unlink()
    tested.look()
    assert in_use(tested) == changed


def test_a_test_that_is_written_later_takes_nothing_out_of_use(tested: House) -> None:
    put(tested, rule_tests.FILE, TESTS.replace('"dropped"', '"kept"'))
    tested.look()
    assert tested.said == [f"{USER}: fdm.conf: in use"]
    # Nor after a start.
    tested.keeper = tested.fresh()
    tested.look(1)
    assert set(tested.said) == {f"{USER}: fdm.conf: in use"}
    assert in_use(tested) == SORTED


def test_after_a_start_the_last_good_one_need_not_pass_new_tests(tested: House) -> None:
    changed = SORTED.replace("/mail/list", "/mail/lists")
    tested.user(USER, conf=changed + "# a fault: no such\nmatch all action nothing\n")
    put(tested, rule_tests.FILE, TESTS.replace("/mail/list", "/mail/lists"))
    tested.keeper = tested.fresh()
    tested.look(1)
    assert in_use(tested) == SORTED
    assert tested.said[-1] == f"{USER}: fdm.conf: refused; the last good one goes on working"


def test_tests_that_cannot_be_carried_out_refuse_it(house: House) -> None:
    put(house, rule_tests.FILE, '[[test]]\nname = "x"\nfile = "tests/none.eml"\noutcome = "kept"\n')
    house.user(USER, conf=RULES)
    house.look(1)
    assert house.said == [
        f"{USER}: fdm.conf: its tests cannot be carried out",
        f"{USER}: fdm.conf.tests.toml:1: x: tests/none.eml: No such file or directory",
        f"{USER}: fdm.conf: refused, and there is no earlier one",
        f"{USER}: no mail is fetched until there are rules that can be used",
    ]
    put(house, "tests/none.eml", "Subject: x\n\nbody\n")
    put(house, rule_tests.FILE, '[[test]]\nname = "x"\nfile = "tests/none.eml"\noutcome = "dropped"\n')
    house.look()
    assert in_use(house) == RULES


def test_they_have_a_limit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_tests, "LARGEST", 10)
    put(house, rule_tests.FILE, TESTS)
    house.user(USER, conf=RULES)
    house.look(1)
    assert house.said[0] == f"{USER}: fdm.conf: its tests are larger than 0 MiB"


def test_a_folder_without_tests_runs_none(house: House) -> None:
    put(house, "tests/plain.eml", "Subject: of no test\n\nbody\n")
    answers = ("sh", "-c", '[ "$0" = check ]')
    places = dataclasses.replace(house.places, rulesmith=answers)
    assert [*Household(places, USER).update("fdm.conf", b"x")] == ["fdm.conf: in use"]
    put(house, "tests/marked.eml", MARKED)
    assert [*Household(places, "other").update("fdm.conf", b"x")] == ["fdm.conf: in use"]
    assert next(Household(places, USER).update("fdm.conf", b"y")) == "fdm.conf: its tests fail: "


def test_what_is_no_file_is_no_test(house: House, tmp_path: Path) -> None:
    folder = house.user(USER, conf=RULES)
    (folder / rule_tests.FILE).mkdir()
    (folder / "tests").symlink_to(tmp_path / "nothing")
    assert rule_tests.state(folder) == ()


def test_what_a_killed_keeper_has_left_is_no_test(tested: House) -> None:
    left = tested.places.home(USER) / rule_tests._COPY / "tests"
    left.mkdir(parents=True)
    (left / "deleted.eml").write_text(MARKED.replace("dropped", "delivered"))
    tested.user(USER, conf=SORTED + "# edited\n")
    tested.look()
    assert tested.said[-1] == f"{USER}: fdm.conf: in use"
    assert not left.parent.exists()
