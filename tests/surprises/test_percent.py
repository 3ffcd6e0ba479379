"""L45 to L51: percent signs."""

from __future__ import annotations

import time

import pytest

from tests.surprises.stage import MAIL, Stage

SUBJECT = b"Subject: hello"
DAY = 86400


@pytest.fixture(autouse=True)
def _far_from_midnight() -> None:
    """Two runs with another day between them would differ."""
    while time.time() % DAY > DAY - 60:
        time.sleep(1)


def test_l45_a_percent_in_a_command_must_be_doubled(stage: Stage) -> None:
    ours = stage.agree('match all action { exec "echo +%Y-%F >a" exec "echo +%%Y-%%F >b" }')
    assert (ours.read("a"), ours.read("b")) == (time.strftime("+%j-\n", time.gmtime()).encode(), b"+%Y-%F\n")


def test_l46_a_percent_in_a_regexp_must_be_doubled(stage: Stage) -> None:
    conf = 'match "50%off" action write "single" continue\nmatch "50%%off" action write "doubled"'
    assert stage.agree(conf, MAIL.replace(SUBJECT, b"Subject: 50ff")).read("single")
    assert stage.agree(conf, MAIL.replace(SUBJECT, b"Subject: 50%off")).read("doubled")
    today = time.strftime("%d", time.gmtime()).encode()
    conf = 'match "^Subject: day %d$" action write "today"'
    assert stage.agree(conf, MAIL.replace(SUBJECT, b"Subject: day " + today)).read("today")


def test_l47_what_the_mail_says_is_not_known_in_a_regexp(stage: Stage) -> None:
    conf = """
        match "^Subject: (.*)" and "^To: %u%1@" action write "regexp" continue
        match "^Subject: (.*)" and string "x" to "%1" action write "empty" continue
        match string "%[nosuch]" to "%[message_id]" action write "empty matches empty"
    """
    ours = stage.agree(conf, MAIL.replace(b"To: me@", b"To: @"))
    assert [ours.read(name) is not None for name in ("regexp", "empty", "empty matches empty")] == [True, False, True]


def test_l48_a_misspelt_tag_is_empty(stage: Stage) -> None:
    assert stage.agree('match all action write "old%[mail_yaer]-%[mail_year]"').read("old-2020")


def test_l49_letters_of_tags_are_not_those_of_date(stage: Stage) -> None:
    conf = """
        match string "%M %S %H" to "^[0-5][0-9] [0-6][0-9] [0-2][0-9]$" action write "%W %Y"
        """
    now = time.gmtime()
    assert stage.agree(conf).read(f"{(now.tm_wday + 1) % 7} {now.tm_yday:02}")


@pytest.mark.parametrize(("date", "number"), [(b"5 Jan", "05"), (b"31 Mar", "91"), (b"10 Apr", "101")])
def test_l50_the_day_of_the_year_has_two_digits_or_three(date: bytes, number: str, stage: Stage) -> None:
    mail = MAIL.replace(b"Mon, 02 Mar 2020", date + b" 2020")
    assert stage.agree('match all action write "day %[mail_dayofyear]"', mail).read(f"day {number}")


def test_l51_an_unclosed_tag_is_text_and_a_nested_one_ends_early(stage: Stage) -> None:
    ours = stage.agree('match all action { tag "a%[b" value "v" write "x%[a%[b]]y" write "%[y" }')
    assert ours.read("xv]y")
    assert ours.read("%[y")
