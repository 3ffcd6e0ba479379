"""Characters and words that are not of the language, and what to say about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.syntax.quoting import Fault

if TYPE_CHECKING:
    from rulesmith.source import Source
    from rulesmith.syntax.word import Word

WORD_LENGTH = 126  # fdm's longest word

# The rest of a path, an address or a name that somebody forgot to quote.
_UNQUOTED = re.compile(r"[^\s\"'(){}<>,+#\0]*+")


def unquoted_end(text: str, at: int) -> int:
    """Where the unquoted text ends that goes on at `at`."""
    found = _UNQUOTED.match(text, at)
    return found.end() if found else at


def is_foreign(before: list[Word], source: Source, start: int, end: int) -> bool:
    """Whether a word that fdm lacks is a part of something else: of an unquoted text, or of an unclosed one."""
    last = before[-1] if before else None
    glued = last is not None and last.type == "STR" and last.source is source and last.end == start
    return glued or unquoted_end(source.text, end) > end


def stray_character(text: str, start: int) -> Fault:
    """The fault of a character that can begin nothing, together with what hangs on it."""
    character = text[start]
    # fdm reads octets, and shows the first.
    octet = character.encode("utf-8", "surrogateescape")[:1].decode("utf-8", "surrogateescape")
    fdm = f"unexpected character: {octet}"
    if character == "\r":
        message = "the lines of this file end in CR LF, or a carriage return stands between two words"
        help_ = "save the file with Unix line ends (LF alone), for instance with: sed -i 's/\\r$//' FILE"
        return Fault("crlf-line-end", message, start, start + 1, fdm, help_)
    if character == "\ufeff":
        where = "a byte order mark stands here, invisible" if start else "the file starts with a byte order mark"
        return Fault("byte-order-mark", where, start, start + 1, fdm, "save the file as UTF-8 without BOM")
    end = unquoted_end(text, start + 1)
    spelled = text[start:end]
    quotes = f'put it in quotes: "{spelled}"' if end > start + 1 and spelled.isprintable() else None
    shown = f"`{character}`" if character.isprintable() else f"number {ord(octet) & 0xFF}, which cannot be shown"
    return Fault("unexpected-character", f"unexpected character {shown}", start, end, fdm, quotes)


def long_word(start: int, end: int) -> Fault:
    """The fault of a word that is longer than any."""
    message = f"no word has more than {WORD_LENGTH} characters"
    return Fault("unknown-word", message, start, end, "token too long")
