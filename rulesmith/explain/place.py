"""Where in a message a regexp matched."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from rulesmith.explain.decoded import body_line
from rulesmith.explain.trace import Match
from rulesmith.mail import header, words
from rulesmith.regexp.linear import OutOfBounds, start_linearly
from rulesmith.regexp.search import FOLDED, LINEAR, ONLY_LINEAR, STRAIGHT

if TYPE_CHECKING:
    from rulesmith.mail.message import Message
    from rulesmith.program import Pattern

# A line is shown only around the match.
_AROUND = 200
_CRLF_FOLD = re.compile(rb"\r\n[ \t]")


def locate(message: Message, area: str, pattern: Pattern, matched: bytes) -> Match | None:
    """The place of the match whose octets the engine has found; None where it cannot be told."""
    view = message.view(area)
    start = _start(pattern, view, message.folded(area), matched)
    if start is None:
        return None
    end = start + len(matched)
    line_start = view.rfind(b"\n", 0, start) + 1
    line_end = view.find(b"\n", end)
    line_end = len(view) if line_end < 0 else line_end
    before = view[max(line_start, start - _AROUND) : start]
    after = view[end : min(line_end, end + _AROUND)].rstrip(b"\r")
    head = message.raw[: message.body_at]
    in_header = area != "body" and start < len(header.unfold(head))
    found = Match(area, _offset(message, area, start, in_header), matched, before, after)
    if in_header:
        line = view[line_start:line_end]
        name, colon, value = line.partition(b":")
        if colon and b" " not in name.strip():
            found.name = words.printable(name.decode("utf-8", "backslashreplace"))
            found.name_offset = start - line_start
        if b"=?" in value:
            found.decoded = words.readable(value.strip())
    else:
        found.decoded = body_line(message, found.offset)
    return found


def _start(pattern: Pattern, text: bytes, folded: bytes, matched: bytes) -> int | None:
    _, code, flags, _, _, _, _ = pattern
    if code is None:
        return 0
    if flags & LINEAR and (flags & ONLY_LINEAR or not flags & STRAIGHT):
        try:
            return start_linearly(pattern, text)
        except OutOfBounds:
            return None
    subject = folded if flags & FOLDED else text
    compiled = re.compile(code, re.MULTILINE)
    wanted = matched.lower() if flags & FOLDED else matched
    # The first place with these octets at which the regexp matches: it has been found there before, in bounded time.
    at = subject.find(wanted)
    while at >= 0:
        if compiled.match(subject, at):
            return at
        at = subject.find(wanted, at + 1)
    return None


def _offset(message: Message, area: str, start: int, in_header: bool) -> int:
    """The offset in the message of an offset in what the regexp saw: CR LF and a blank are one octet less there."""
    head = message.raw[: message.body_at]
    if area == "body":
        return message.body_at + start
    if not in_header:
        return message.body_at + start - len(header.unfold(head))
    folds = (fold.start() - number for number, fold in enumerate(_CRLF_FOLD.finditer(head)))
    return start + sum(1 for _ in takewhile(lambda at: at < start, folds))
