"""A line of a body as a person reads it, where the message has it in base64 or quoted-printable."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from rulesmith.mail import words

if TYPE_CHECKING:
    from rulesmith.mail.message import Message

_ENCODING = re.compile(rb"^(?:content-transfer-encoding:[ \t]*([-a-z0-9]+)|--[^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_LONGEST = 400


def body_line(message: Message, offset: int) -> str | None:
    """The line at an offset of the message, decoded; None where it is not encoded, or in an unknown way."""
    raw = message.raw
    encoding = b""
    for found in _ENCODING.finditer(raw, 0, offset):
        encoding = (found[1] or b"").lower()
    start = raw.rfind(b"\n", 0, offset) + 1
    end = raw.find(b"\n", offset)
    line = raw[start : len(raw) if end < 0 else end].strip(b"\r")
    try:
        if encoding == b"base64":
            octets = binascii.a2b_base64(line[: len(line) // 4 * 4])
        elif encoding == b"quoted-printable":
            octets = binascii.a2b_qp(line)
        else:
            return None
    except ValueError:
        return None
    if octets == line or not octets:
        return None
    return words.cut(words.printable(octets.decode("utf-8", "backslashreplace")), _LONGEST)
