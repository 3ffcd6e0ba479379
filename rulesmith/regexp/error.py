"""What is wrong with a regexp."""

from __future__ import annotations


class RegexpError(Exception):
    """A regexp that fdm refuses, or that cannot be given its exact meaning here.

    message: what is wrong, for a person.
    offset:  octets from the start of the regexp to the place, or None for the whole.
    fdm:     what fdm itself prints (`conf: TEXT at line N`): with PCRE2 the library's text, with POSIX the regexp
             and glibc's text without anything between; where fdm would accept the regexp, our own message.
    refused: whether fdm refuses it too.
    """

    def __init__(self, message: str, offset: int | None, fdm: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.refused = bool(fdm)
        self.fdm = fdm or message
