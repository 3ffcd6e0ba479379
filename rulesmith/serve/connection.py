"""One client: its session, the message that it is sending, and the answers that it waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rulesmith.lmtp.events import Begin, Close, Discard, Event, Message, Piece, Reply
from rulesmith.lmtp.session import Session
from rulesmith.serve.pool import Job
from rulesmith.serve.spooled import Spooled

if TYPE_CHECKING:
    from rulesmith.serve.recipients import Recipient
    from rulesmith.serve.server import Server

_DONE = b"250 2.0.0 it is safe"
_LATER = b"451 4.3.0 not now, come again; the log says why"
_NO_ROOM = b"452 4.3.1 there is no room for the message now"
_GOODBYE = b"421 4.3.2 the server ends\r\n"
_TOO_MANY = b"421 4.3.2 too many connections\r\n"
_TOO_SLOW = b"421 4.4.2 too slow\r\n"


class Connection(asyncio.Protocol):
    """A client, from its first octet to its last."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = Session(server.name, server.settings.maximum, server.look_up)
        self._transport: asyncio.Transport | None = None
        self._spooled: Spooled | None = None
        self._replies: list[bytes | None] = []
        self._heard_at = self._began_at = server.time()
        self._full = False  # the client does not read what it is told
        self._ending = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._server.admit(self):
            transport.write(_TOO_MANY)
            transport.close()
            return
        self._do(self._session.greeting())

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._server.time()
        self._do(self._session.feed(data))

    def eof_received(self) -> bool:
        """It has nothing to say any more; an answer that it waits for it shall have."""
        self._ending = self._session.waits
        return self._ending

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._forget()
        self._server.leave(self)

    def pause_writing(self) -> None:
        self._full = True
        self._listen()

    def resume_writing(self) -> None:
        self._full = False
        self._listen()

    # What the server calls.

    def look(self, now: float) -> None:
        """Time goes by. Who waits for us is not slow."""
        if self._session.waits or self._transport is None:
            return
        settings = self._server.settings
        if now - self._heard_at > settings.idle or now - self._began_at > settings.transaction:
            self._say_and_close(_TOO_SLOW)

    def end(self) -> None:
        """The server ends. Who waits for an answer gets it."""
        if self._session.waits and self._transport is not None and not self._transport.is_closing():
            self._ending = True
        else:
            self._say_and_close(_GOODBYE)

    def _say_and_close(self, reply: bytes) -> None:
        if self._transport is None:
            return
        if not self._session.in_message:
            self._transport.write(reply)
        if self._full:
            # It would never be read.
            self._transport.abort()
        else:
            self._transport.close()

    def _do(self, events: list[Event]) -> None:
        said = b""
        for event in events:
            if isinstance(event, Piece):
                assert self._spooled is not None
                self._spooled.add(event.octets)
            elif isinstance(event, Reply):
                said += event.octets
            elif isinstance(event, Begin):
                self._spooled = Spooled(event.sender)
            elif isinstance(event, Discard):
                self._forget()
                self._spooled = Spooled(b"")
            elif isinstance(event, Message):
                self._began_at = self._server.time()
                self._write(said)
                said = b""
                self._deliver(event)
            elif isinstance(event, Close):
                self._ending = True
        self._write(said)
        self._listen()
        if self._ending and not (self._session.waits and self._replies) and self._transport is not None:
            self._transport.close()

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self._transport.write(octets)

    def _listen(self) -> None:
        """Read on, or leave it in the socket while we have enough to do."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._full or self._session.waits:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _deliver(self, message: Message) -> None:
        """Give the message to the workers, once for each user that it is for."""
        spooled, self._spooled = self._spooled, None
        assert spooled is not None
        spooled.finish()
        recipients: tuple[Recipient, ...] = message.recipients
        self._replies = [None] * len(recipients)
        places: dict[str, list[int]] = {}
        for place, recipient in enumerate(recipients):
            places.setdefault(recipient.who, []).append(place)
        try:
            for same in places.values():
                self._submit(recipients[same[0]], spooled, same)
        finally:
            spooled.close()

    def _submit(self, recipient: Recipient, spooled: Spooled, places: list[int]) -> None:
        octets, descriptor = spooled.octets(), -1
        try:
            if spooled.failed:
                raise OSError
            if octets is None:
                descriptor = spooled.descriptor()
        except OSError:
            self._settle(places, _NO_ROOM)
            return

        def answered(status: int) -> bool:
            return self._settle(places, _LATER if status else _DONE)

        self._server.pool.submit(Job(recipient, octets, descriptor, spooled.size, answered))

    def _settle(self, places: list[int], reply: bytes) -> bool:
        """An answer; whether the client is there to hear it."""
        for place in places:
            self._replies[place] = reply
        replies = [each for each in self._replies if each is not None]
        if len(replies) == len(self._replies):
            self._replies = []
            self._began_at = self._heard_at = self._server.time()
            self._do(self._session.answer(replies))
        # What was written just now to somebody who is gone has closed the transport.
        return self._transport is not None and not self._transport.is_closing()

    def _forget(self) -> None:
        if self._spooled is not None:
            self._spooled.close()
            self._spooled = None
