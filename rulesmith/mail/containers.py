"""The multipart containers that are open while a mail is walked through, and which lines speak of them."""

from __future__ import annotations

from rulesmith.mail.header import line_text

OPENS, CLOSES = 1, 2


class Containers:
    """A stack, outermost container first.

    A boundary line of an outer container ends the inner ones that are never closed (RFC 2046, 5.1.2); but inside a
    container whose own closing line is still to come it is text, as in fdm. All work over a whole mail
    grows with its length only, however deep it is nested.
    """

    __slots__ = ("_boundaries", "_closings", "_depths", "_floor", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._boundaries: list[bytes] = []
        # At which depths a boundary is open; of containers with the same one the innermost is meant.
        self._depths: dict[bytes, list[int]] = {}
        # Depth of the innermost container that is closed further on; lines of those around it are text.
        self._floor = 0
        # Where each boundary is closed for the last time; not looked for unless something is nested.
        self._closings: dict[bytes, int] | None = None

    def __bool__(self) -> bool:
        return bool(self._boundaries)

    def enter(self, boundary: bytes, at: int) -> None:
        """Open a container whose header ends at offset `at`."""
        depth = len(self._boundaries)
        self._boundaries.append(boundary)
        self._depths.setdefault(boundary, []).append(depth)
        if depth and self._closes_behind(boundary, at):
            self._floor = depth

    def meaning(self, line: bytes) -> tuple[int, bytes]:
        """OPENS a part, or CLOSES a container, and that container's boundary; 0 for text."""
        text = line_text(line)
        if text[:2] == b"--":
            if self._is_heard(text[2:]):
                return OPENS, text[2:]
            if text[-2:] == b"--" and self._is_heard(text[2:-2]):
                return CLOSES, text[2:-2]
        return 0, b""

    def _is_heard(self, boundary: bytes) -> bool:
        return boundary in self._depths and self._depths[boundary][-1] >= self._floor

    def take(self, line: bytes, at: int) -> int:
        """Act on the line at offset `at`: leave what it closes and what lies deeper. Returns what it does, or 0."""
        step, boundary = self.meaning(line)
        if step:
            keep = self._depths[boundary][-1] + (step == OPENS)
            while len(self._boundaries) > keep:
                self._leave()
            if self._floor >= keep:
                # What is passed over here is not closed behind this line, and so never becomes the floor again.
                self._floor = max(keep - 1, 0)
                while self._floor and not self._closes_behind(self._boundaries[self._floor], at):
                    self._floor -= 1
        return step

    def _leave(self) -> None:
        boundary = self._boundaries.pop()
        self._depths[boundary].pop()
        if not self._depths[boundary]:
            del self._depths[boundary]

    def _closes_behind(self, boundary: bytes, at: int) -> bool:
        if self._closings is None:
            self._closings = {}
            start = self._raw.find(b"\n--") + 1
            while start:
                stop = self._raw.find(b"\n", start) + 1 or len(self._raw)
                text = line_text(self._raw[start:stop])
                if text[-2:] == b"--":
                    self._closings[text[2:-2]] = start
                start = self._raw.find(b"\n--", stop - 1) + 1
        return self._closings.get(boundary, -1) > at
