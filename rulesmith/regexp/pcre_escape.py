"""What a backslash means in PCRE2 (pcre2pattern(3), "Backslash"), outside and inside a class."""

from __future__ import annotations

from rulesmith.regexp.octets import ALL, DIGIT, HORIZONTAL, NOT_LF, SPACE, VERTICAL, WORD
from rulesmith.regexp.pcre_property import property_mask
from rulesmith.regexp.pcre_reader import GROUPS, IGNORE_CASE, Reader
from rulesmith.regexp.pcre_repeat import read_counts

_SINGLE = {97: 7, 101: 27, 102: 12, 110: 10, 114: 13, 116: 9}
_SETS = {
    100: DIGIT,
    68: ALL ^ DIGIT,
    119: WORD,
    87: ALL ^ WORD,
    115: SPACE,
    83: ALL ^ SPACE,
    104: HORIZONTAL,
    72: ALL ^ HORIZONTAL,
    118: VERTICAL,
    86: ALL ^ VERTICAL,
}
_HEX = b"0123456789abcdefABCDEF"
_OCTAL = b"01234567"
_OPENERS = {60: b">", 39: b"'", 123: b"}"}

# An octet, a set of octets, a word for what else it is, or a back-reference by number or by name.
Escape = tuple[str, int | bytes]


def read_escape(reader: Reader, in_class: bool) -> Escape:
    """What the escape is whose backslash has just been read; leaves the reader behind it.

    ("octet", N), ("set", mask), ("reference", number), ("name", name), ("call", 0) for a subroutine, or
    ("special", letter).
    """
    start = reader.at - 1
    if reader.at >= reader.end:
        raise reader.refused("\\ at end of pattern", start)
    letter = reader.source[reader.at]
    reader.at += 1
    if not chr(letter).isascii() or not chr(letter).isalnum():
        return "octet", letter
    if letter in _SINGLE:
        return "octet", _SINGLE[letter]
    if letter in _SETS:
        return "set", _SETS[letter]
    if letter in b"pP":
        mask = property_mask(reader, start, bool(reader.flags & IGNORE_CASE))
        return "set", mask if letter == 112 else ALL ^ mask
    if letter == 48:
        return "octet", _octal(reader, letter, start)
    if 49 <= letter <= 57:
        return _digits(reader, letter, start, in_class)
    if letter in b"xoc":
        return "octet", {120: _hexadecimal, 111: _braced_octal, 99: _control}[letter](reader, start)
    if letter in b"gk":
        if in_class:
            return "octet", letter
        return _reference(reader, letter, start)
    if letter == 78:
        return _not_line_feed(reader, start, in_class)
    if letter in b"AbBCEGKQRXZz":
        return "special", letter
    if letter in b"FlLuU":
        raise reader.refused("PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u", start)
    raise reader.refused("unrecognized character follows \\", start)


def _not_line_feed(reader: Reader, start: int, in_class: bool) -> Escape:
    # \N{3} is a repeat of \N; \N{U+41} would need UTF and \N{name} is unknown to PCRE2.
    if reader.looking_at(b"{"):
        inside = reader.source[reader.at + 1 :].lstrip(b" \t")
        if inside.startswith(b"U+"):
            raise reader.refused("\\N{U+dddd} is supported only in Unicode (UTF) mode", start)
        if in_class or read_counts(reader, reader.at + 1) is None:
            raise reader.refused("PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u", start)
    if in_class:
        raise reader.refused("\\N is not supported in a class", start)
    return "set", NOT_LF


def _octal(reader: Reader, first: int, start: int) -> int:
    value = first - 48
    for _ in range(2):
        if reader.at < reader.end and reader.source[reader.at] in _OCTAL:
            value = value * 8 + reader.source[reader.at] - 48
            reader.at += 1
    if value > 255:
        raise reader.refused("octal value is greater than \\377 in 8-bit non-UTF-8 mode", start)
    return value


def _digits(reader: Reader, letter: int, start: int, in_class: bool) -> Escape:
    behind = reader.at
    if not in_class:
        # A back-reference for one digit, for 8 and 9, or where there are so many captures; else octal.
        reader.at -= 1
        digits = reader.digits()
        number = int(digits) if len(digits) < 9 else GROUPS + 1
        if number < 10 or letter >= 56 or number <= reader.groups:
            if number > GROUPS:
                raise reader.refused("subpattern number is too big", start)
            return "reference", number
        reader.at = behind
    if letter >= 56:
        return "octet", letter
    return "octet", _octal(reader, letter, start)


def _braced(reader: Reader, start: int, digits: bytes, base: int, wrong: str) -> int:
    """The number in braces, blanks allowed inside; `at` is behind the opening brace."""
    reader.skip_blanks()
    if reader.at >= reader.end or reader.source[reader.at] == 125:
        raise reader.refused("digits missing after \\x or in \\x{} or \\o{} or \\N{U+}", start)
    first = reader.at
    while reader.at < reader.end and reader.source[reader.at] in digits:
        reader.at += 1
    text = reader.source[first : reader.at].lstrip(b"0") or b"0"
    reader.skip_blanks()
    if (len(text) > 8) or (first < reader.at and text.strip() and int(text, base) > 255):
        raise reader.refused("character code point value in \\x{} or \\o{} is too large", start)
    if not reader.looking_at(b"}"):
        raise reader.refused(wrong, start)
    reader.at += 1
    return int(text, base)


def _braced_octal(reader: Reader, start: int) -> int:
    if not reader.looking_at(b"{"):
        raise reader.refused("missing opening brace after \\o", start)
    reader.at += 1
    return _braced(reader, start, _OCTAL, 8, "non-octal character in \\o{} (closing brace missing?)")


def _hexadecimal(reader: Reader, start: int) -> int:
    if reader.looking_at(b"{"):
        reader.at += 1
        return _braced(reader, start, _HEX, 16, "non-hex character in \\x{} (closing brace missing?)")
    first = reader.at
    while reader.at < reader.end and reader.at < first + 2 and reader.source[reader.at] in _HEX:
        reader.at += 1
    if first == reader.at:
        raise reader.refused("digits missing after \\x or in \\x{} or \\o{} or \\N{U+}", start)
    return int(reader.source[first : reader.at], 16)


def _control(reader: Reader, start: int) -> int:
    if reader.at >= reader.end:
        raise reader.refused("\\c at end of pattern", start)
    octet = reader.source[reader.at]
    if not 32 <= octet <= 126:
        raise reader.refused("\\c must be followed by a printable ASCII character", start)
    reader.at += 1
    return (octet - 32 if 97 <= octet <= 122 else octet) ^ 64


def _reference(reader: Reader, letter: int, start: int) -> Escape:
    following = reader.source[reader.at] if reader.at < reader.end else -1
    if letter == 103:
        if following in (60, 39):
            raise reader.cannot("a subroutine call (\\g)", start)
        braced = following == 123
        if braced:
            reader.at += 1
            reader.skip_blanks()
        number = reader.group_number() if reader.at < reader.end else None
        if number is not None:
            if braced:
                reader.skip_blanks()
                if not reader.looking_at(b"}"):
                    raise reader.refused("syntax error in subpattern number (missing terminator?)", start)
                reader.at += 1
            if number == 0:
                raise reader.refused("reference to non-existent subpattern", start)
            return "reference", number
        if not braced:
            text = "\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number"
            raise reader.refused(text, start)
        return "name", reader.name(b"}")
    if following not in _OPENERS:
        raise reader.refused("\\k is not followed by a braced, angle-bracketed, or quoted name", start)
    reader.at += 1
    return "name", reader.name(_OPENERS[following])
