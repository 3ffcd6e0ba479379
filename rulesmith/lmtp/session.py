"""One LMTP conversation from the server's side, without a socket: octets in, events out.

RFC 2033, with PIPELINING (2920), 8BITMIME (6152), SIZE (1870) and ENHANCEDSTATUSCODES (2034). One thing is stricter
than those: about a sender, a recipient or a message nothing is ever refused for good. Clients that fetch mail delete at
the provider what gets a 5xx there, so all of these replies are 4xx, and the message stays where it is.

Only CR LF . CR LF ends a message. A line of the message that ends with a bare LF is a line to the rules, but never its
end, so nobody can put a second message into a first one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rulesmith.limits import LMTP_ERRORS, LMTP_LINE, LMTP_LINES, LMTP_RECIPIENTS
from rulesmith.lmtp.address import path
from rulesmith.lmtp.events import Begin, Close, Discard, Event, Message, Piece, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_END = b"\r\n.\r\n"
_KEYWORD = re.compile(rb"(FROM|TO)\s*:", re.IGNORECASE)
_TOO_BIG = b"452 4.3.4 the message is larger than %d octets"
_HELP = b"214 2.0.0 LHLO MAIL RCPT DATA RSET NOOP VRFY QUIT; see RFC 2033"


class Session:
    """Feed it what the client sends, in pieces of any size, and do what its events say.

    `name` is this host's; `maximum` the largest message in octets, 0 for any; `look_up` gives for the address of a
    recipient whatever stands for the user, None where there is none.
    """

    def __init__(self, name: bytes, maximum: int, look_up: Callable[[bytes], Any]) -> None:
        self.name = name
        self.maximum = maximum
        self._look_up = look_up
        self._buffer = b""
        self._at = 0  # in the buffer: so far it is done with
        self._events: list[Event] = []
        self._next = self._command  # what the next octets are
        self._skipping = False  # the rest of a line that was too long
        self._greeted = False
        self._sender: bytes | None = None
        self._recipients: list[Any] = []
        self._kept = b""  # the end of what came of a message: it may be the begin of its end
        self._size = 0
        self._errors = 0
        self._lines = 0  # since a message was done with
        self._verbs: dict[bytes, Callable[[bytes], None]] = {
            b"LHLO": self._lhlo,
            b"EHLO": self._helo,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._begin_data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"HELP": self._help,
            b"VRFY": self._vrfy,
            b"QUIT": self._quit,
        }

    def greeting(self) -> list[Event]:
        """What the server says first."""
        return [Reply(b"220 " + self.name + b" LMTP rulesmith\r\n")]

    @property
    def has_recipients(self) -> bool:
        """Whether a transaction is under way that somebody gets."""
        return bool(self._recipients)

    def feed(self, octets: bytes) -> list[Event]:
        """Take what the client has sent."""
        self._buffer += octets
        return self.go_on()

    def go_on(self) -> list[Event]:
        """What is to be done with what has come so far."""
        while self._at < len(self._buffer) and self._next():
            pass
        self._buffer, self._at = self._buffer[self._at :], 0
        return self._said()

    def answer(self, replies: Sequence[bytes]) -> list[Event]:
        """Say what became of the message, one reply for each recipient; what came meanwhile is for `go_on`."""
        assert self._next == self._wait
        assert len(replies) == len(self._recipients), "one reply a recipient"
        for reply in replies:
            self._say(reply)
        self._done()
        return self._said()

    @property
    def waits(self) -> bool:
        """Whether a message is to be answered before anything else is read."""
        return self._next == self._wait

    @property
    def has_more(self) -> bool:
        """Whether there is something that is not looked at yet."""
        return bool(self._buffer)

    @property
    def in_message(self) -> bool:
        """Whether the client is sending a message."""
        return self._next == self._data

    def _said(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _say(self, reply: bytes) -> None:
        self._events.append(Reply(reply + b"\r\n"))

    def _forget(self) -> None:
        """The transaction is over."""
        self._sender = None
        self._recipients = []

    def _done(self) -> None:
        """The message has its answers."""
        self._forget()
        self._lines = 0
        self._next = self._command

    def _wait(self) -> bool:
        return False

    def _over(self) -> bool:
        """Nobody listens any more."""
        self._buffer, self._at = b"", 0
        return False

    def _command(self) -> bool:
        """One line; False where there is none yet."""
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            if len(self._buffer) - self._at > LMTP_LINE:
                self._buffer, self._at, self._skipping = b"", 0, True
            return False
        line = self._buffer[self._at : end]
        self._at = end + 1
        self._lines += 1
        if self._lines > LMTP_LINES:
            self._say(b"421 4.7.0 " + self.name + b" has heard many commands and no message")
            return self._end()
        if self._skipping or len(line) > LMTP_LINE:
            self._skipping = False
            # It may have named a sender or a recipient.
            return self._mistake(b"451 4.5.2 the line is too long")
        line = line.removesuffix(b"\r")
        verb, _, more = line.partition(b" ")
        act = self._verbs.get(verb.upper())
        if act is None:
            return self._no_command(b"500 5.5.1 there is no such command")
        act(more.strip(b" "))
        return True

    def _no_command(self, reply: bytes) -> bool:
        """Refuse for good, unless it may be about a message: after LHLO."""
        return self._mistake(b"451 4.5.1" + reply[9:] if self._greeted else reply)

    def _mistake(self, reply: bytes) -> bool:
        """A line that is none of ours; somebody who says nothing else is not listened to."""
        self._errors += 1
        if self._errors < LMTP_ERRORS:
            self._say(reply)
            return True
        self._say(b"421 4.7.0 " + self.name + b" has not understood too much of this")
        return self._end()

    def _end(self) -> bool:
        self._events.append(Close())
        self._next = self._over
        return False

    def _lhlo(self, more: bytes) -> None:
        if not more:
            self._no_command(b"501 5.5.4 LHLO needs a name")
            return
        self._greeted = True
        self._forget()
        for line in (self.name, b"PIPELINING", b"8BITMIME", b"ENHANCEDSTATUSCODES"):
            self._say(b"250-" + line)
        self._say(b"250 SIZE %d" % self._most_on_the_wire)

    def _helo(self, _: bytes) -> None:
        self._no_command(b"500 5.5.1 this is LMTP: say LHLO")

    def _mail(self, more: bytes) -> None:
        if not self._greeted or self._sender is not None:
            self._mistake(b"451 4.5.1 " + (b"one sender only" if self._greeted else b"say LHLO first"))
            return
        found = _address(b"FROM", more)
        if found is None:
            self._mistake(b"451 4.1.7 MAIL FROM:<address>")
            return
        sender, parameters = found
        for parameter in parameters.split():
            name, _, value = parameter.upper().partition(b"=")
            if name == b"SIZE" and value.isdigit():
                if self.maximum and int(value[:20]) > self._most_on_the_wire:
                    self._say(_TOO_BIG % self.maximum)
                    return
            elif name != b"BODY" or value not in (b"7BIT", b"8BITMIME"):
                self._mistake(b"451 4.5.4 a parameter is not known")
                return
        self._sender = sender
        self._say(b"250 2.1.0 ok")

    def _rcpt(self, more: bytes) -> None:
        if self._sender is None:
            self._mistake(b"451 4.5.1 say MAIL first")
            return
        found = _address(b"TO", more)
        if found is None or not found[0]:
            self._mistake(b"451 4.1.3 RCPT TO:<address>")
            return
        if found[1]:
            self._mistake(b"451 4.5.4 a parameter is not known")
            return
        if len(self._recipients) >= LMTP_RECIPIENTS:
            self._say(b"452 4.5.3 too many recipients at a time")
            return
        user = self._look_up(found[0])
        if user is None:
            self._say(b"450 4.1.1 there is no such user")
            return
        self._recipients.append(user)
        self._say(b"250 2.1.5 ok")

    def _begin_data(self, _: bytes) -> None:
        if not self._recipients:
            # The one 5xx in a transaction: RFC 2033 (4.2) wants it, and there is no message.
            self._mistake(b"503 5.5.1 there are no recipients")
            return
        self._say(b"354 end with a line that is a dot")
        self._events.append(Begin(self._sender or b""))
        self._kept = b"\r\n"  # the line before the first one
        self._size = -1  # of which the line end is not the message's
        self._next = self._data

    def _data(self) -> bool:
        """What came of the message; False until it is whole."""
        came = self._kept + self._buffer[self._at :]
        self._buffer, self._at = b"", 0
        at = came.find(_END)
        if at >= 0:
            self._take(came[: at + 2])
            self._buffer = came[at + len(_END) :]
            return self._whole()
        keep = len(_END) - 1
        while not came.endswith(_END[:keep]):
            keep -= 1
        end = len(came) - keep
        self._take(came[:end])
        self._kept = came[end:]
        return False

    def _take(self, wire: bytes) -> None:
        """Octets as they were sent; they end neither in CR nor in the dot that begins a line."""
        if not wire:
            return
        text = wire.replace(b"\r\n.", b"\r\n").replace(b"\r\n", b"\n")
        if self._size < 0:
            text = text[1:]
            self._size = 0
        fitted = not self._too_big
        self._size += len(text)
        if not self._too_big:
            if text:
                self._events.append(Piece(text))
        elif fitted:
            self._events.append(Discard())

    @property
    def _most_on_the_wire(self) -> int:
        """Any message of more octets than that is too big: at most every second one is the CR that lines have here."""
        return 2 * self.maximum

    @property
    def _too_big(self) -> bool:
        return bool(self.maximum) and self._size > self.maximum

    def _whole(self) -> bool:
        self._kept = b""
        self._next = self._wait
        if not self._too_big:
            self._events.append(Message(self._sender or b"", tuple(self._recipients)))
            return False
        for _ in self._recipients:
            self._say(_TOO_BIG % self.maximum)
        self._done()
        return True

    def _rset(self, _: bytes) -> None:
        self._forget()
        self._say(b"250 2.0.0 ok")

    def _noop(self, _: bytes) -> None:
        self._say(b"250 2.0.0 ok")

    def _help(self, _: bytes) -> None:
        self._say(_HELP)

    def _vrfy(self, _: bytes) -> None:
        self._say(b"252 2.5.0 send some mail, and see")

    def _quit(self, _: bytes) -> None:
        self._say(b"221 2.0.0 " + self.name + b" says goodbye")
        self._end()


def _address(keyword: bytes, text: bytes) -> tuple[bytes, bytes] | None:
    """The address and the parameters of `FROM:<address> PARAMETERS`."""
    found = _KEYWORD.match(text)
    if found is None or found[1].upper() != keyword:
        return None
    return path(text[found.end() :])
