"""Search with a compiled pattern, in bounded time.

Steps, each only if the one before left it open: octets that every match must contain; for a regexp that is no more than
octets (plain.py) looking for these; both without any import. Then Python's `re`, stopped after limits.SEARCH_SECONDS;
the linear matcher. Where the limit is hit and the pattern has back-references, look-around or atomic parts nothing can
decide and the search fails.

The limit is a timer signal, and `re` looks for signals only once in some thousand steps. On a long line each step
may be long; such a search goes to the linear matcher at once, or else is made place by place, with a look for
signals at each. Only the main thread can have the timer: in another one a pattern that can backtrack goes to the
linear matcher at once, and fails where that cannot have it.
"""

from __future__ import annotations

from rulesmith.effects import Failure
from rulesmith.limits import SEARCH_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence
    from types import FrameType

    from rulesmith.program import Pattern, Plain

    Spans = Sequence[tuple[int, int]] | None

# Flags of a pattern.
FOLDED = 1  # the code is for the lower-cased text
LINEAR = 2  # the linear matcher can decide it
ONLY_LINEAR = 4  # `re` would find another match or other captures
STRAIGHT = 8  # cannot backtrack for long
LONGEST_FIRST = 16  # what `re` finds is the longest match from its start
ACROSS = 32  # one step of `re` may run over many lines

# Octets in a line, or in a text, from where a step of `re` may be too long.
_LONG = 16384

# Seconds after which the timer rings again, as it may have come at the wrong moment.
_MOMENT = 0.001

_compiled: dict[bytes, re.Pattern[bytes]] = {}


class _TooSlow(Exception):
    pass


def search(pattern: Pattern, text: bytes, folded: bytes) -> tuple[bytes, ...] | None:
    """The octets of captures 0 to 9, as many as the regexp has (b"" where unset); None: no match.

    `folded` is text.lower(). Failure, with fdm's words, where it cannot be decided within the limits.
    """
    source, code, flags, needle, dialect, case, plain = pattern
    if needle and needle not in (text if case else folded):
        return None
    if code is None:
        return None if text else (b"",)
    if plain is not None:
        return _captures(text, find_plain(plain, folded if flags & FOLDED else text))
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
        spans: Spans = match and match.regs
    else:
        stepwise = len(text) > _LONG and (bool(flags & ACROSS) or _has_long_line(text))
        if stepwise and flags & LINEAR:
            return _decide(pattern, text)
        try:
            spans = _limited(compiled, subject, longest, stepwise)
        except (_TooSlow, ValueError) as error:  # ValueError: not the main thread
            if flags & LINEAR:
                return _decide(pattern, text)
            raise _undecided(source, error) from None
    return _captures(text, spans)


def find_plain(plain: Plain, text: bytes) -> Spans:
    """The spans of the first match of a regexp that is no more than octets; each line is looked at once."""
    anchored, heads, rest = plain
    found: Spans = None
    for head, group in heads:
        begin = _next(head, anchored, text, 0)
        while begin >= 0:
            end = start = begin + len(head)
            if rest is not None:
                line_end = text.find(b"\n", start)
                if line_end < 0:
                    line_end = len(text)
                end = text.rfind(rest, start, line_end)
                if end < 0:
                    begin = _next(head, anchored, text, line_end)
                    continue
                end += len(rest)
            if found is None or begin < found[0][0]:
                found = ((begin, end), *([] if group is None else [(begin + group[0], begin + group[1])]))
            break
    return found


def _next(head: bytes, anchored: bool, text: bytes, at: int) -> int:
    """Where octets are from `at` on, the start of the text or the end of a line; -1 where they are not."""
    if not anchored:
        return text.find(head, at)
    if not at and text.startswith(head):
        return 0
    before = text.find(b"\n" + head, at)
    return before + 1 if before >= 0 else -1


def _captures(text: bytes, spans: Spans) -> tuple[bytes, ...] | None:
    return None if spans is None else tuple([text[start:end] for start, end in spans[:10]])


def _find(compiled: re.Pattern[bytes], subject: bytes, longest: bool, stepwise: bool) -> Spans:
    """The spans of the first match, or where `longest` of the longest from its start; takes as long as it takes."""
    if stepwise:
        match = next(filter(None, (compiled.match(subject, at) for at in range(len(subject) + 1))), None)
    else:
        match = compiled.search(subject)
    if match is None:
        return None
    while longest and match.end() < len(subject):
        import re

        # Ask for a longer one until there is none: the rest behind it is shorter than the rest behind this.
        beyond = len(subject) - match.end()
        code = b"(?:%s)(?!(?s:.){%d})" % (compiled.pattern, beyond)
        longer = re.compile(code, re.MULTILINE).match(subject, match.start())
        if longer is None:
            break
        match = longer
    return match.regs


def _has_long_line(text: bytes) -> bool:
    at = 0
    while len(text) - at > _LONG:
        at = text.rfind(b"\n", at, at + _LONG) + 1
        if not at:
            return True
    return False


def _undecided(source: bytes, error: Exception) -> Failure:
    reason = "it cannot be limited in time outside the main thread"
    if isinstance(error, _TooSlow):
        reason = f"took longer than {SEARCH_SECONDS:g} seconds"
    return Failure(f"{source.decode('utf-8', 'surrogateescape')}: regexec failed: {reason}")


def _decide(pattern: Pattern, text: bytes) -> tuple[bytes, ...] | None:
    from rulesmith.regexp.linear import OutOfBounds, search_linearly  # large, and few messages need it

    try:
        return search_linearly(pattern, text)
    except OutOfBounds as error:
        raise Failure(f"{pattern[0].decode('utf-8', 'surrogateescape')}: regexec failed: {error}") from None


def _limited(compiled: re.Pattern[bytes], subject: bytes, longest: bool, stepwise: bool) -> Spans:
    """What `_find` gives; _TooSlow after the limit, ValueError off the main thread."""
    import _signal
    from time import monotonic

    armed = [True]

    def ring(_signum: int, frame: FrameType | None) -> None:
        # In a destructor, or what the collector calls, it would be swallowed; so it would in a ring that came there.
        if not armed or frame is None or frame.f_code is ring.__code__:
            return
        where = frame.f_globals.get("__name__", "")
        if where == __name__ or where.partition(".")[0] == "re":
            armed.clear()
            raise _TooSlow

    handler = _signal.signal(_signal.SIGALRM, ring)
    outer, interval, started = 0.0, 0.0, monotonic()
    try:
        try:
            # Whoever has started us may have blocked it.
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGALRM,))
            outer, interval = _signal.setitimer(_signal.ITIMER_REAL, SEARCH_SECONDS, _MOMENT)
            return _find(compiled, subject, longest, stepwise)
        finally:
            armed.clear()
    finally:
        # Here the ring is silent.
        _signal.setitimer(_signal.ITIMER_REAL, 0.0)
        if handler is not None:
            _signal.signal(_signal.SIGALRM, handler)
        if outer:
            _signal.setitimer(_signal.ITIMER_REAL, max(outer - (monotonic() - started), 1e-6), interval)
