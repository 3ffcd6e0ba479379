"""Text of a header field for people: encoded words decoded (RFC 2047), nothing in it that moves a cursor."""

from __future__ import annotations

import binascii

# Decoders that are no character sets of mail, or cost far more than what they are given.
_NO_CHARSETS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem")
_CHARSET_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.:")
# Octets of a field that are looked at: no line shows more.
_LONGEST = 4096


def readable(field: bytes) -> str:
    """A field's value as a person reads it, on one line."""
    field = field[:_LONGEST]
    text = ""
    done = at = 0
    was_word = False
    while (at := field.find(b"=?", at)) >= 0:
        found = _encoded_word(field, at + 2)
        if found is None:
            at += 2
            continue
        # Blanks between two encoded words are part of neither (RFC 2047, 6.2).
        between = field[done:at]
        if not was_word or between.strip(b" \t\r\n"):
            text += _text(between, "utf-8")
        text += found[0]
        done = at = found[1]
        was_word = True
    return printable(text + _text(field[done:], "utf-8"))


def printable(text: str) -> str:
    """The text on one line: what is no visible sign is shown as an escape, any blank as a blank."""
    if text.isprintable():
        return text
    return "".join(map(_sign, text))


def cut(text: str, length: int) -> str:
    """At most so many characters, with an ellipsis in place of the rest."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _sign(sign: str) -> str:
    if sign.isprintable():
        return sign
    if sign.isspace():
        return " "
    number = ord(sign)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def _encoded_word(field: bytes, at: int) -> tuple[str, int] | None:
    """What the `charset?B?text?=` there says, and the offset behind it; None where it is no encoded word."""
    behind = field.find(b"?", at)
    encoding, start = field[behind + 1 : behind + 2], behind + 3
    end = field.find(b"?=", start)
    if behind < 0 or end < 0 or field[behind + 2 : start] != b"?":
        return None
    text = field[start:end]
    try:
        if encoding in (b"B", b"b"):
            octets = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        elif encoding in (b"Q", b"q"):
            octets = binascii.a2b_qp(text, header=True)
        else:
            return None
    except ValueError:
        return None
    # The language behind `*` (RFC 2231, 5) is not looked at.
    charset = field[at:behind].partition(b"*")[0].decode("ascii", "replace").lower()
    return _text(octets, charset), end + 2


def _text(octets: bytes, charset: str) -> str:
    if charset != "utf-8" and _CHARSET_SIGNS.issuperset(charset) and charset.replace("-", "_") not in _NO_CHARSETS:
        try:
            return octets.decode(charset, "replace")
        except (LookupError, ValueError):
            # Not known here: what is ASCII in it can still be read.
            pass
    return octets.decode("utf-8", "backslashreplace")
