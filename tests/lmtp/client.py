"""What a client says, and what an LMTP session makes of it."""

from __future__ import annotations

from rulesmith.lmtp.events import Begin, Close, Discard, Event, Message, Piece, Reply
from rulesmith.lmtp.session import Session

USERS = {b"user@example.com", b"other@example.com"}
HELLO = b"LHLO client\r\n"
ENVELOPE = HELLO + b"MAIL FROM:<a@example.org>\r\nRCPT TO:<user@example.com>\r\n"


class Talk:
    """A session with what it has said and taken so far; each message is answered with `replies` at once."""

    def __init__(self, maximum: int = 0, answers: bool = True) -> None:
        self.session = Session(b"here", maximum, lambda address: address if address in USERS else None)
        self.said = b""
        self.messages: list[tuple[bytes, tuple[bytes, ...], bytes]] = []
        self.discarded = 0
        self.closed = False
        self._answers = answers
        self._text = b""

    def say(self, octets: bytes, step: int = 0) -> Talk:
        """Send octets, in pieces of `step` where that is given."""
        for at in range(0, len(octets), step or len(octets)):
            self._do(self.session.feed(octets[at : at + (step or len(octets))]))
        return self

    def answer(self, *replies: bytes) -> None:
        self._do(self.session.answer(replies))
        self._do(self.session.go_on())

    def _do(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Reply):
                self.said += event.octets
            elif isinstance(event, Begin):
                self._text = b""
            elif isinstance(event, Piece):
                self._text += event.octets
            elif isinstance(event, Discard):
                self.discarded += 1
            elif isinstance(event, Close):
                self.closed = True
            elif isinstance(event, Message):
                self.messages.append((event.sender, event.recipients, self._text))
                if self._answers:
                    self.answer(*[b"250 2.0.0 done"] * len(event.recipients))

    @property
    def codes(self) -> list[int]:
        """The code of each reply, of several lines only once."""
        return [int(line[:3]) for line in self.said.split(b"\r\n") if line and line[3:4] == b" "]
