"""One client: its session, the message that it is sending, and the answers that it waits for."""

from __future__ import annotations

import asyncio
import enum
import os
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
# What is read is here for a moment: memory for each time would have to come from the system.
_ROOM = memoryview(bytearray(1 << 18))


class State(enum.Enum):
    """How far the end has come."""

    TALKING = enum.auto()
    LEAVING = enum.auto()  # what is owed is still said, and nothing more is done
    CLOSED = enum.auto()  # nothing more is said; what was may still be read


class Connection(asyncio.BufferedProtocol):
    """A client, from its first octet to its last."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = Session(server.name, server.settings.maximum, self._look_up)
        self._transport: asyncio.Transport | None = None
        self._state = State.TALKING
        self._spooled: Spooled | None = None
        # Of the message that is whole: a reply for each recipient, None as long as there is none, and the jobs that are
        # answered while the client has not heard it.
        self._replies: list[bytes | None] = []
        self._answered: list[Job] = []
        self._locks: list[int] = []
        self._heard_at = self._began_at = server.time()
        self._reading = True
        self._full = False  # something is said that is not yet where the client reads it

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)
        if not self._server.admit(self):
            self._close(_TOO_MANY)
            return
        self._do(self._session.greeting())

    def get_buffer(self, _: int) -> memoryview:
        return _ROOM

    def buffer_updated(self, count: int) -> None:
        self._heard_at = self._server.time()
        self._do(self._session.feed(bytes(_ROOM[:count])))

    def eof_received(self) -> bool:
        """It has nothing to say any more; an answer that it waits for it shall have."""
        owed = self._session.waits or bool(self._answered)
        self._state = State.LEAVING if owed else State.CLOSED
        return owed

    def connection_lost(self, _: Exception | None) -> None:
        self._state = State.CLOSED
        self._transport = None
        self._tell(False)
        self._forget()
        if None not in self._replies:
            self._unlock()
        self._server.leave(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    # What the server calls.

    def look(self, now: float) -> None:
        """Time goes by. Who waits for us is not slow."""
        settings = self._server.settings
        slow = now - self._heard_at > settings.idle or now - self._began_at > settings.transaction
        if slow and not self._session.waits:
            self._close(_TOO_SLOW)

    def end(self) -> None:
        """The server ends. Who waits for an answer gets it."""
        if not (self._session.waits or self._answered):
            self._close(_GOODBYE)
        elif self._state is State.TALKING:
            self._state = State.LEAVING

    def _close(self, reply: bytes = b"") -> None:
        """Say the last word, and close; in the middle of a message it could be taken for the answer."""
        if not self._session.in_message:
            self._write(reply)
        if self._transport is None or self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        if self._full:
            # It would never be read.
            self._transport.abort()
        else:
            self._transport.close()

    def _do(self, events: list[Event]) -> None:
        said = b""
        message = None
        for event in events:
            if isinstance(event, Reply):
                said += event.octets
            elif isinstance(event, Piece):
                assert self._spooled is not None
                self._spooled.add(event.octets)
            elif isinstance(event, Begin):
                self._spooled = Spooled(event.sender)
            elif isinstance(event, Discard):
                self._forget()
                self._spooled = Spooled(b"")
            elif isinstance(event, Message):
                message = event
            elif isinstance(event, Close):
                self._state = State.LEAVING
        self._write(said)
        if message is not None:
            self._began_at = self._server.time()
            self._deliver(message)
        if not self._session.has_recipients:
            self._unlock()
        if self._state is State.LEAVING and not (self._session.waits or self._full):
            self._close()
        self._listen()

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None and self._state is not State.CLOSED:
            self._transport.write(octets)
            if self._transport.is_closing():
                # Nobody is there any more, as we shall be told.
                self._state = State.CLOSED

    def _listen(self) -> None:
        """Read on, or leave it in the socket while we have enough to do; its end too, which comes after all else."""
        if self._transport is None or self._state is State.CLOSED:
            return
        reading = not (self._full or (self._session.waits and self._session.has_more))
        if reading != self._reading:
            self._reading = reading
            (self._transport.resume_reading if reading else self._transport.pause_reading)()

    def _go_on(self) -> None:
        """When the client has all that was said: count it as heard, and do what it has sent meanwhile."""
        if self._full or self._state is State.CLOSED:
            return
        self._tell(True)
        if self._state is State.LEAVING:
            self._close()
        else:
            self._do(self._session.go_on())

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
            asyncio.get_running_loop().call_soon(self._settle, places, _NO_ROOM)
            return

        def answered(job: Job, status: int) -> None:
            self._answered.append(job)
            self._settle(places, _LATER if status else _DONE)

        self._server.pool.submit(Job(recipient, octets, descriptor, spooled.size, answered))

    def _settle(self, places: list[int], reply: bytes) -> None:
        """Some recipients' answer. The client hears all of them together, for it may bring the message again as long as
        one is missing."""
        for place in places:
            self._replies[place] = reply
        replies = [each for each in self._replies if each is not None]
        if self._transport is None:
            self._tell(False)
            if None not in self._replies:
                self._unlock()
        elif len(replies) == len(self._replies):
            self._began_at = self._heard_at = self._server.time()
            said = self._session.answer(replies)
            self._write(b"".join(event.octets for event in said if isinstance(event, Reply)))
            self._go_on()

    def _tell(self, heard: bool) -> None:
        """Those who have answered learn whether the client has heard it."""
        answered, self._answered = self._answered, []
        for job in answered:
            job.tell(heard)

    def _look_up(self, address: bytes) -> Recipient | None:
        found = self._server.look_up(address)
        if found is not None and found.lock >= 0:
            self._locks.append(found.lock)
        return found

    def _unlock(self) -> None:
        """The transaction is over, and the client has its answer."""
        while self._locks:
            os.close(self._locks.pop())

    def _forget(self) -> None:
        if self._spooled is not None:
            self._spooled.close()
            self._spooled = None
