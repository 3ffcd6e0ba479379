"""Search with a compiled pattern, in bounded time.

Three steps, each only if the one before left it open: octets that every match must contain (no import at all);
Python's `re`, stopped after limits.SEARCH_SECONDS; the linear matcher. Where the limit is hit and the pattern has
back-references, look-around or atomic parts nothing can decide and the search fails.

The limit is a timer signal, which only the main thread can have. In another thread a pattern that can backtrack
goes to the linear matcher at once, and fails where that cannot have it.
"""

from __future__ import annotations

from rulesmith.effects import Failure
from rulesmith.limits import SEARCH_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    from rulesmith.program import Pattern

# Flags of a pattern.
FOLDED = 1  # the code is for the lower-cased text
LINEAR = 2  # the linear matcher can decide it
ONLY_LINEAR = 4  # `re` would find another match or other captures
STRAIGHT = 8  # cannot backtrack for long
LONGEST_FIRST = 16  # what `re` finds is the longest match from its start

_compiled: dict[bytes, re.Pattern[bytes]] = {}


class _TooSlow(Exception):
    pass


def search(pattern: Pattern, text: bytes, folded: bytes) -> tuple[bytes, ...] | None:
    """The octets of captures 0 to 9, as many as the regexp has (b"" where unset); None: no match.

    `folded` is text.lower(). Failure, with fdm's words, where it cannot be decided within the limits.
    """
    source, code, flags, needle, dialect, case = pattern
    if needle and needle not in (text if case else folded):
        return None
    if code is None:
        return None if text else (b"",)
    if flags & ONLY_LINEAR:
        return _decide(pattern, text)
    compiled = _compiled.get(code)
    if compiled is None:
        import re  # not before a text has passed its first test

        compiled = _compiled[code] = re.compile(code, re.MULTILINE)
    subject = folded if flags & FOLDED else text
    longest = dialect == "posix" and not flags & LONGEST_FIRST
    if flags & STRAIGHT and not longest:
        match = compiled.search(subject)
    else:
        try:
            match = _limited(compiled, subject, longest)
        except (_TooSlow, ValueError) as error:  # ValueError: not the main thread
            if flags & LINEAR:
                return _decide(pattern, text)
            raise Failure(f"{_shown(source)}: regexec failed: {_reason(error)}") from None
    if match is None:
        return None
    return tuple([text[start:end] for start, end in match.regs[:10]])


def _reason(error: Exception) -> str:
    if isinstance(error, _TooSlow):
        return f"took longer than {SEARCH_SECONDS:g} seconds"
    return "it cannot be limited in time outside the main thread"


def _shown(source: bytes) -> str:
    return source.decode("utf-8", "surrogateescape")


def _decide(pattern: Pattern, text: bytes) -> tuple[bytes, ...] | None:
    from rulesmith.regexp.linear import OutOfBounds, search_linearly  # a large module that few messages need

    try:
        return search_linearly(pattern, text)
    except OutOfBounds as error:
        raise Failure(f"{_shown(pattern[0])}: regexec failed: {error}") from None


def _limited(compiled: re.Pattern[bytes], subject: bytes, longest: bool) -> Any:
    """The match, or None; _TooSlow after the limit, ValueError off the main thread."""
    import _signal
    from time import monotonic

    armed = [True]

    def ring(_signum: int, _frame: object) -> None:
        if armed:
            raise _TooSlow

    handler = _signal.signal(_signal.SIGALRM, ring)
    outer, interval, started = 0.0, 0.0, monotonic()
    try:
        try:
            outer, interval = _signal.setitimer(_signal.ITIMER_REAL, SEARCH_SECONDS)
            match = compiled.search(subject)
            if longest and match is not None:
                match = _longest(compiled.pattern, subject, match)
        finally:
            armed.clear()
    finally:
        # The timer rings once: here it has rung, or its ring is silent.
        _signal.setitimer(_signal.ITIMER_REAL, 0.0)
        if handler is not None:
            _signal.signal(_signal.SIGALRM, handler)
        if outer:
            _signal.setitimer(_signal.ITIMER_REAL, max(outer - (monotonic() - started), 1e-6), interval)
    return match


def _longest(code: bytes, subject: bytes, match: re.Match[bytes]) -> re.Match[bytes]:
    """The longest match from where `match` starts: ask for a longer one until there is none."""
    import re

    while match.end() < len(subject):
        beyond = len(subject) - match.end()  # the rest behind a longer match is shorter than this
        longer = re.compile(b"(?:%s)(?!(?s:.){%d})" % (code, beyond), re.MULTILINE).match(subject, match.start())
        if longer is None:
            break
        match = longer
    return match
