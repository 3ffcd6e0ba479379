"""Dates: RFC 5322 read in UTC, and what strptime lets fdm read besides."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rulesmith.mail import date

TEN = 1583143200  # Mon, 02 Mar 2020 10:00:00 +0000


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        (b"Mon, 02 Mar 2020 10:00:00 +0000", 0),
        (b"Mon, 02 Mar 2020 10:00:00 +0200", -2),
        (b"2 Mar 2020 10:00:00 -0530", 5.5),
        (b"Mon,2 Mar 2020 10:00:00 +0000", 0),
        (b"Monday, 2 March 2020 10:00:00 +0000", 0),
        (b"  Mon,   2   Mar 2020   10:00:00    +0000  ", 0),
        (b"Tue, 2 Mar 2020 10:00:00 +0000", 0),
        (b"MON, 2 mAR 2020 10:00:00 gmt", 0),
        (b"2Mar202010:00:00+0100", -1),
        (b"Mon, 2 Mar 2020 10:00:00 +0175", -2.25),
        (b"Mon, 2 Mar 2020 10:00:00 0100", -1),
        (b"Mon, 2 Mar 2020 10:00:00 -7", 7 / 60),
        (b"Mon, 2 Mar 2020 10:00:00 +0000 and more", 0),
        (b"Mon, 2 Mar 2020 9:59:60 +0000", 0),
        # RFC 5322, which fdm does not read
        (b"Mon, 2 Mar 2020 10:00 +0000", 0),
        (b"Mon, 2 Mar 20 10:00:00 +0000", 0),
        (b"Mon, 2 Mar 120 10:00:00 +0000", 0),
        (b"Mon, 2 Mar 2020 10:00:00 UT", 0),
        (b"Mon, 2 Mar 2020 10:00:00 Z", 0),
        (b"Mon, 2 Mar 2020 10:00:00 A", 0),
        (b"Mon, 2 Mar 2020 10:00:00 XYZ", 0),
        (b"Mon, 2 Mar 2020 10:00:00 EST", 5),
        (b"Mon, 2 Mar 2020 10:00:00 pdt", 7),
        (b"Mon, 2 Mar 2020 10:00:00 CET", -1),
        (b"Mon, 2 Mar 2020 10:00:00 +02:00", -2),
        (b"Mon, 2 Mar 2020 10:00:00 +0000 (UTC)", 0),
        (b"Mon, 2 Mar 2020 10:00:00 +0100(x)", -1),
        (b"(a (nested \\) one)) Mon (x) , 2 (y) Mar 2020 10 : 00 : 00 (z) +0000", 0),
    ],
)
def test_a_date_is_read_in_utc(value: bytes, hours: float) -> None:
    assert date.parse(value) == TEN + hours * 3600


def test_the_local_zone_does_not_matter(utc: pytest.MonkeyPatch) -> None:
    utc.setenv("TZ", "America/New_York")
    time.tzset()
    assert date.parse(b"Mon, 2 Mar 2020 10:00:00 +0000") == TEN


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (b"Thu, 1 Jan 1970 00:00:00 +0000", 0),
        (b"31 Feb 2021 00:00:00 +0000", 1614729600),  # 3 March
        (b"29 Feb 2000 00:00:00 +0000", 951782400),
        (b"1 Mar 2000 00:00:00 +0000", 951868800),
        (b"1 Jan 99 00:00:00 +0000", 915148800),
        (b"31 Dec 2038 23:59:59 +0000", 2177452799),
        (b"13 Jan 20203:4:55 GMT", 1578884695),
    ],
)
def test_the_calendar_is_right(value: bytes, when: int) -> None:
    assert date.parse(value) == when


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"garbage",
        b"2020-03-02 10:00:00 +0000",
        b"Mon Mar  2 10:00:00 2020",
        b"Mon 2 Mar 2020 10:00:00 +0000",
        b"Foo, 2 Mar 2020 10:00:00 +0000",
        b"Mon, 2 Foo 2020 10:00:00 +0000",
        b"Mon, 0 Mar 2020 10:00:00 +0000",
        b"Mon, 32 Mar 2020 10:00:00 +0000",
        b"Mon, 2 Mar 2020 24:00:00 +0000",
        b"Mon, 2 Mar 2020 10:60:00 +0000",
        b"Mon, 2 Mar 2020 10:00:62 +0000",
        b"Mon, 2 Mar 2020 10:00: +0000",
        b"Mon, 2 Mar 2020 10:00:00",
        b"Mon, 2 Mar 2020 10:00:00 (UTC)",
        b"Mon, 2 Mar 2020 10:00:00 + 0100",
        b"Mon, 2 Mar 2020 10:00:00 +2400",
        b"Mon, 2 Mar 2020 10:00:00 --1",
        b"Mon, 2 Mar 2020 10:00:00 0x10",
        b"Mon, 2 Mar 2020 10:00:00 J",
        b"Mon, 2 Mar 2 10:00:00 +0000",
        b"Mon, 2 Mar 12020 10:00:00 +0000",
        b"Wed, 31 Dec 1969 23:59:59 +0000",
        b"Thu, 1 Jan 1970 00:00:00 +0100",
        b"Mon, 2 Mar 2020 10:00:00 +" + b"0" * 5000 + b"1",
    ],
)
def test_what_is_no_date_is_none(value: bytes) -> None:
    assert date.parse(value) is None


def test_the_forms_that_are_written(utc: pytest.MonkeyPatch) -> None:
    assert date.rfc822(TEN) == b"Mon, 02 Mar 2020 10:00:00 +0000"
    assert date.ctime(TEN) == b"Mon Mar  2 10:00:00 2020"
    utc.setenv("TZ", "XYZ3:30")
    time.tzset()
    assert date.rfc822(TEN) == b"Mon, 02 Mar 2020 06:30:00 -0330"
    utc.setenv("TZ", "XYZ-5:45")
    time.tzset()
    assert date.rfc822(TEN) == b"Mon, 02 Mar 2020 15:45:00 +0545"
    assert date.ctime(TEN) == b"Mon Mar  2 15:45:00 2020"


def test_the_tags_of_a_moment() -> None:
    assert date.tags(TEN, b"mail_") == {
        b"mail_hour": b"10",
        b"mail_minute": b"00",
        b"mail_second": b"00",
        b"mail_day": b"02",
        b"mail_month": b"03",
        b"mail_year": b"2020",
        b"mail_year2": b"20",
        b"mail_dayofweek": b"1",
        b"mail_dayofyear": b"62",
        b"mail_quarter": b"1",
        b"mail_rfc822date": b"Mon, 02 Mar 2020 10:00:00 +0000",
    }


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (b"5 Jan 2020 10:00:00 GMT", b"dayofyear", b"05"),
        (b"31 Dec 2020 10:00:00 GMT", b"dayofyear", b"366"),
        (b"5 Jan 2020 10:00:00 GMT", b"dayofweek", b"0"),
        (b"4 Jan 2020 10:00:00 GMT", b"dayofweek", b"6"),
        (b"31 Mar 2020 10:00:00 GMT", b"quarter", b"1"),
        (b"1 Apr 2020 10:00:00 GMT", b"quarter", b"2"),
        (b"31 Dec 2009 10:00:00 GMT", b"quarter", b"4"),
        (b"31 Dec 2009 10:00:00 GMT", b"year2", b"09"),
    ],
)
def test_single_tags(value: bytes, name: bytes, text: bytes) -> None:
    when = date.parse(value)
    assert when is not None
    assert date.tags(when)[name] == text
