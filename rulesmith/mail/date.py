"""Dates: reading the Date field; the forms that header fields, mbox separators and tags use.

Read is what RFC 5322 allows (3.3 and the obsolete 4.3: comments, no seconds, two-digit years, named zones), and
what strptime lets fdm read besides (full names, missing blanks, zones like `+1`, 31 February as 2 March). The
result is in UTC; fdm counts the local zone's offset as well, by mistake.
"""

from __future__ import annotations

import time

_DIGITS = b"0123456789"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_DAYS = (b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DAY_NAMES = b"sunday monday tuesday wednesday thursday friday saturday".split()
_MONTH_NAMES = b"january february march april may june july august september october november december".split()
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
# Minutes east of UTC. RFC 5322, 4.3 gives the American ones, and says that letters whose meaning is not known are
# UTC; known are those, too, that the zone files CET, EET, HST, MET and WET define.
_ZONES = {
    b"edt": -240,
    b"est": -300,
    b"cdt": -300,
    b"cst": -360,
    b"mdt": -360,
    b"mst": -420,
    b"pdt": -420,
    b"pst": -480,
    b"hst": -600,
    b"cet": 60,
    b"cest": 120,
    b"met": 60,
    b"mest": 120,
    b"eet": 120,
    b"eest": 180,
    b"west": 60,
}
# The largest zone, as hhmm, that fdm accepts.
_LARGEST_ZONE = 2359


def parse(value: bytes) -> int | None:
    """Unix time of a Date field's unfolded value; None if it is no date, or one before 1970."""
    try:
        when = _parse(_Reader(_without_comments(value).lower()))
    except ValueError:
        return None
    return when if when >= 0 else None


def _parse(text: _Reader) -> int:
    name = text.letters()
    if name:
        _index(name, _DAY_NAMES)
        text.expect(b",")
    day = text.number(1, 31)
    month = _index(text.letters(), _MONTH_NAMES)
    year = text.year()
    hour = text.number(0, 23)
    text.expect(b":")
    minute = text.number(0, 59)
    # strptime, and so fdm, takes two leap seconds.
    second = text.number(0, 61) if text.takes(b":") else 0
    offset = _offset(text.word())
    days = _days_before_year(year) - _days_before_year(1970) + _DAYS_BEFORE[month] + day - 1
    if month > 1 and ((year % 4 == 0 and year % 100 != 0) or year % 400 == 0):
        days += 1
    return days * 86400 + hour * 3600 + minute * 60 + second - offset * 60


def _days_before_year(year: int) -> int:
    year -= 1
    return year * 365 + year // 4 - year // 100 + year // 400


def _index(name: bytes, names: list[bytes]) -> int:
    """Where a name, or its first three letters, stands in the list."""
    for index, full in enumerate(names):
        if name == full or name == full[:3]:
            return index
    raise ValueError


def _offset(zone: bytes) -> int:
    """Minutes east of UTC that a zone stands for."""
    if zone.isalpha():
        # RFC 5322 takes the military letters for UTC, since they were used with either sign; there is no J.
        if zone == b"j":
            raise ValueError
        return _ZONES.get(zone, 0)
    sign = -1 if zone[:1] == b"-" else 1
    digits = zone[1:] if zone[:1] in (b"+", b"-") else zone
    if len(digits) == 5 and len(zone) == 6 and digits[2:3] == b":":
        digits = digits[:2] + digits[3:]
    if not digits.isdigit() or int(digits) > _LARGEST_ZONE:
        raise ValueError
    # `+0175` is an hour and 75 minutes.
    return sign * (int(digits) // 100 * 60 + int(digits) % 100)


def _without_comments(value: bytes) -> bytes:
    """Each comment (in parentheses, which may nest; a backslash quotes) becomes a blank."""
    if b"(" not in value:
        return value
    kept = bytearray()
    depth = 0
    quoted = False
    for octet in value:
        if quoted:
            quoted = False
        elif depth and octet == 92:
            quoted = True
        elif octet == 40:
            depth += 1
            kept += b" "
        elif octet == 41 and depth:
            depth -= 1
        elif not depth:
            kept.append(octet)
    return bytes(kept)


class _Reader:
    """A text in lower case read from left to right; white space before anything that is asked for goes unseen."""

    __slots__ = ("_rest",)

    def __init__(self, text: bytes) -> None:
        self._rest = text

    def takes(self, sign: bytes) -> bool:
        rest = self._rest.lstrip()
        found = rest[:1] == sign
        self._rest = rest[found:]
        return found

    def expect(self, sign: bytes) -> None:
        if not self.takes(sign):
            raise ValueError

    def letters(self) -> bytes:
        text = self._rest.lstrip()
        self._rest = text.lstrip(_LETTERS)
        return text[: len(text) - len(self._rest)]

    def word(self) -> bytes:
        """Up to the next white space; what follows does not count."""
        words = self._rest.split(None, 1)
        return words[0] if words else b""

    def _digits(self, most: int) -> bytes:
        text = self._rest.lstrip()
        self._rest = text[:most].lstrip(_DIGITS) + text[most:]
        return text[: len(text) - len(self._rest)]

    def number(self, low: int, high: int) -> int:
        """A number of one or two digits."""
        number = int(self._digits(2))
        if not low <= number <= high:
            raise ValueError
        return number

    def year(self) -> int:
        """Four digits, even if the hour follows at once; with two or three, a year of the obsolete form."""
        digits = self._digits(4)
        year = int(digits)
        if len(digits) == 4:
            return year
        if len(digits) == 1:
            raise ValueError
        return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def rfc822(when: int) -> bytes:
    """`Sun, 22 Nov 2026 11:12:08 +0000`, in local time."""
    at = time.localtime(when)
    minutes = abs(at.tm_gmtoff) // 60
    return b"%s, %02d %s %d %02d:%02d:%02d %s%02d%02d" % (
        _DAYS[(at.tm_wday + 1) % 7],
        at.tm_mday,
        _MONTHS[at.tm_mon - 1],
        at.tm_year,
        at.tm_hour,
        at.tm_min,
        at.tm_sec,
        b"-" if at.tm_gmtoff < 0 else b"+",
        minutes // 60,
        minutes % 60,
    )


def ctime(when: int) -> bytes:
    """`Sun Nov 22 11:12:08 2026`, in local time; a day below 10 is padded with a blank."""
    at = time.localtime(when)
    return b"%s %s %2d %02d:%02d:%02d %d" % (
        _DAYS[(at.tm_wday + 1) % 7],
        _MONTHS[at.tm_mon - 1],
        at.tm_mday,
        at.tm_hour,
        at.tm_min,
        at.tm_sec,
        at.tm_year,
    )


def tags(when: int, prefix: bytes = b"") -> dict[bytes, bytes]:
    """The tags of a moment, in local time (fdm.conf(5), TAGS): `hour` to `quarter`, `rfc822date`.

    `dayofyear` has two digits at least, not three, as in fdm.
    """
    at = time.localtime(when)
    return {
        prefix + b"hour": b"%02d" % at.tm_hour,
        prefix + b"minute": b"%02d" % at.tm_min,
        prefix + b"second": b"%02d" % at.tm_sec,
        prefix + b"day": b"%02d" % at.tm_mday,
        prefix + b"month": b"%02d" % at.tm_mon,
        prefix + b"year": b"%d" % at.tm_year,
        prefix + b"year2": b"%02d" % (at.tm_year % 100),
        prefix + b"dayofweek": b"%d" % ((at.tm_wday + 1) % 7),
        prefix + b"dayofyear": b"%02d" % at.tm_yday,
        prefix + b"quarter": b"%d" % ((at.tm_mon + 2) // 3),
        prefix + b"rfc822date": rfc822(when),
    }
