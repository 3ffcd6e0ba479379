"""A message while rules look at it: its octets, its tags, its submatches."""

from __future__ import annotations

from rulesmith.limits import ONE_VIEW_OCTETS
from rulesmith.mail import date, header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Decoded, a mail has one view for each area a regexp can name.
AREAS = ("any", "headers", "body")
# Octets in which line ends are counted at a time, so that no second copy of a large message is made.
_PIECE = 1 << 18


class Message:
    """The octets as they are now, and what the rules have learnt about them.

    `raw` is what deliveries write; `body_at` is where its body starts, 0 without a header area. `tags` maps
    names to values. `captures` are the submatches of the last regexp that was tried. `now` is the Unix time
    that ages are measured from. `verdict` is what the spam scan said: "score" and "required" (float), "action"
    (bytes) and "symbols" (names and their scores); None where nothing scanned the message.
    """

    __slots__ = ("_folded", "_parts", "_views", "body_at", "captures", "now", "raw", "tags", "unknown", "verdict")

    def __init__(self, raw: bytes, body_at: int, tags: dict[bytes, bytes], now: int) -> None:
        self.raw = raw
        self.body_at = body_at
        self.tags = tags
        self.captures: tuple[bytes, ...] = ()
        self.now = now
        self.verdict: dict[str, Any] | None = None
        # The command that rewrote the message where it was not run, so that the octets are not known: dry runs only.
        self.unknown: bytes | None = None
        self._views: dict[str, bytes] = {}
        self._folded: dict[str, bytes] = {}
        self._parts: tuple[tuple[bytes, bytes | None, int, bool], ...] | None = None

    def replace(self, raw: bytes, body_at: int) -> None:
        """Take other octets; what was derived from the old ones goes, submatches included (as in fdm)."""
        self.raw = raw
        self.body_at = body_at
        self.captures = ()
        self._views.clear()
        self._folded.clear()
        self._parts = None

    def make_room(self) -> None:
        """Forget what was derived from the octets and is long; to be called where a copy of them is made.

        What is short is kept: the next rule asks for the same.
        """
        if len(self.raw) > ONE_VIEW_OCTETS:
            for known in (self._views, self._folded):
                for name in [name for name, octets in known.items() if len(octets) > ONE_VIEW_OCTETS]:
                    del known[name]

    def view(self, area: str) -> bytes:
        """What a regexp sees of an area: headers unfolded, body untouched."""
        view = self._views.get(area)
        if view is None:
            if area != "headers" or self.body_at > ONE_VIEW_OCTETS:
                self.make_room()
            if area == "body":
                view = self.raw[self.body_at :]
            elif area == "headers":
                view = header.unfold(self.raw[: self.body_at])
            else:
                head = header.unfold(self.raw[: self.body_at])
                whole = self.raw.startswith(head)
                view = self.raw if whole else b"".join((head, memoryview(self.raw)[self.body_at :]))
            self._views[area] = view
        return view

    def folded(self, area: str) -> bytes:
        """The view in lower case (ASCII), for the literals that decide most regexps."""
        folded = self._folded.get(area)
        if folded is None:
            folded = self._folded[area] = self.view(area).lower()
        return folded

    def lacks(self, area: str, octets: bytes, case: bool) -> bool:
        """Whether octets are nowhere in an area; without `case` they are in lower case, and either counts.

        A long body is not copied for that.
        """
        if area != "body":
            return octets not in (self.view(area) if case else self.folded(area))
        return (self.raw if case else self._lowered()).find(octets, self.body_at) < 0

    def _lowered(self) -> bytes:
        """All octets in lower case (ASCII)."""
        lowered = self._folded.get("")
        if lowered is None:
            self.make_room()
            lowered = self._folded[""] = self.raw.lower()
        return lowered

    def parts(self) -> tuple[tuple[bytes, bytes | None, int, bool], ...]:
        """The MIME structure, root first: (type, name, octets, is a container)."""
        if self._parts is None:
            from rulesmith.mail import structure  # few rules look at attachments

            self.make_room()
            self._parts = structure.parts(self.raw, self.body_at)
        return self._parts

    def date(self) -> int | None:
        """The Date field as Unix time (RFC 5322 section 3.3), None where missing or invalid."""
        value = header.first(self.raw[: self.body_at], b"Date")
        return None if value is None else date.parse(value)


def clock_tags(now: int, hostname: bytes) -> dict[bytes, bytes]:
    """The tags that hold before a mail is read (fdm.conf(5), TAGS): host name and current time."""
    return {b"hostname": hostname, **date.tags(now)}


def describe(raw: bytes, body_at: int, account: bytes, now: int) -> dict[bytes, bytes]:
    """The tags of a mail as it was received: counts of lines, Message-ID and the time of its Date field."""
    # Mail from an mbox lacks its last line end.
    unended = raw[-1:] not in (b"", b"\n")
    # Counting takes longer than most of what is done with a large mail, so each half is counted once.
    head_lines = _line_ends(raw, 0, body_at)
    rest = _line_ends(raw, body_at, len(raw)) + unended
    lines = head_lines + rest
    body = rest if body_at else 0
    tags = {
        b"account": account,
        b"lines": b"%d" % lines,
        b"body_lines": b"%d" % body,
        b"header_lines": b"%d" % (lines - body - 1),
    }
    head = raw[:body_at]
    identity = header.message_id(head)
    if identity:
        tags[b"message_id"] = identity
    value = header.first(head, b"Date")
    when = date.parse(value) if value is not None else None
    tags.update(date.tags(now if when is None else when, b"mail_"))
    return tags


def _line_ends(raw: bytes, begin: int, end: int) -> int:
    """How many there are. Python takes four times as long to count single octets as to leave them out."""
    found = 0
    for at in range(begin, end, _PIECE):
        piece = raw[at : min(at + _PIECE, end)]
        found += len(piece) - len(piece.replace(b"\n", b""))
    return found
